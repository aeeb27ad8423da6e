/** Level words in the languages that Windows shows them in: a word or a number in, the level's number out. */
import { LEVEL_INFORMATION, levelOf } from "@culprit/model";

const WORDS: readonly (readonly [number, string])[] = [
  [
    1,
    "critical crit fatal kritisch critique crítico critico crítica критический 严重 重大 위험 kritiek kritisk krytyczny",
  ],
  [2, "error err fehler erreur errore erro ошибка 错误 エラー 오류 fout fel błąd hata chyba"],
  [
    3,
    "warning warn wrn warnung avertissement advertencia avviso aviso предупреждение 警告 경고 waarschuwing varning ostrzeżenie",
  ],
  [
    4,
    "information informational info inf informationen informazioni información informações сведения 信息 情報 정보 informatie",
  ],
  [5, "verbose debug ausführlich détails detallado dettagliato подробно 详细 詳細"],
  [0, "audit_success audit_failure success_audit failure_audit successaudit failureaudit aus auf"],
];

const NUMBER_OF: ReadonlyMap<string, number> = new Map(
  WORDS.flatMap(([level, words]) => words.split(" ").map((word) => [word, level] as const)),
);

const WORD_MAX_LENGTH = 64;

/** The level a word means; `undefined` for a word of no language known, or for none. */
export function levelOfWord(word: string | undefined): number | undefined {
  if (word === undefined || word.length > WORD_MAX_LENGTH) return undefined;
  const text = word.trim().toLowerCase().replace(/\s+/g, "_");
  return NUMBER_OF.get(text);
}

/** As `levelOfWord`, for a word or a number, with Information for what is unknown. */
export function levelOfAny(value: string | number | undefined): number {
  if (value === undefined) return LEVEL_INFORMATION;
  const text = String(value).trim();
  if (/^\d{1,3}$/.test(text)) return Math.min(Number(text), 255);
  return levelOfWord(text) ?? levelOf(text);
}
