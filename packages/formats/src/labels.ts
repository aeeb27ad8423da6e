/**
 * The labels of events shown as text, in the languages that Windows shows them in: a line in, the field and its value out.
 * Used by Event Viewer's copied text, the text of Windows 2000 and 2003, and wevtutil.
 *
 * Source: FORMATS.md section 14.
 */

export type LabelField =
  | "channel"
  | "provider"
  | "date"
  | "clock"
  | "eventId"
  | "task"
  | "level"
  | "keywords"
  | "user"
  | "computer"
  | "opcode"
  | "description"
  | "binary"
  | "xml";

export interface Label {
  readonly field: LabelField;
  readonly value: string;
  /** The label as it stands, in lower case: two labels may mean one field (`Type`, `Level`). */
  readonly word: string;
}

const WORDS: Readonly<Record<LabelField, string>> = {
  channel:
    "log name|protokollname|nom du journal|journal|nombre de registro|nome registro|nome do log|имя журнала|日志名称|記錄檔名稱|ログの名前|로그 이름|logboeknaam|loggnamn|nazwa dziennika|název protokolu|günlük adı|lognavn|lokin nimi",
  provider:
    "source|event source|quelle|ereignisquelle|origen|origine|fonte|bron|källa|źródło|zdroj|источник|来源|來源|ソース|원본|kaynak|kilde|lähde",
  date: "date|datum|fecha|data|дата|日期|日付|날짜|tarih|dato|päivämäärä",
  clock: "time|uhrzeit|heure|hora|ora|время|时间|時刻|시간",
  eventId:
    "event id|event id generated|ereignis-id|ereigniskennung|id de l'événement|id de l’événement|id événement|id. del evento|id del evento|id evento|identificação do evento|id do evento|код события|事件 id|事件id|イベント id|이벤트 id|gebeurtenis-id|händelse-id|identyfikator zdarzenia|id události|olay kimliği|事件識別碼|hendelses-id|hændelses-id|tapahtuman tunnus",
  task: "task category|event category|category|task|aufgabenkategorie|ereigniskategorie|catégorie de la tâche|catégorie|categoría de la tarea|categoría de tarea|categoria attività|categoria da tarefa|категория задачи|任务类别|タスクのカテゴリ|작업 범주|工作類別|taakcategorie|kategoria zadania|aktivitetskategori|kategorie úlohy|görev kategorisi",
  level:
    "level|event type|type|ebene|ereignistyp|niveau|nivel|livello|nível|уровень|级别|レベル|수준|層級|nivå|poziom|úroveň|düzey",
  keywords:
    "keywords|keyword|schlüsselwörter|mots clés|mots-clés|palabras clave|parole chiave|palavras-chave|ключевые слова|关键字|關鍵字|キーワード|키워드|trefwoorden|nyckelord|słowa kluczowe|klíčová slova|anahtar sözcükler",
  user: "user|user name|benutzer|utilisateur|usuario|utente|usuário|пользователь|用户|使用者|ユーザー|사용자|gebruiker|användare|użytkownik|uživatel|kullanıcı",
  computer:
    "computer|ordinateur|equipo|computador|компьютер|计算机|電腦|コンピューター|컴퓨터|dator|komputer|počítač|bilgisayar",
  opcode: "opcode|op code|vorgangscode",
  description:
    "description|beschreibung|descripción|descrizione|descrição|описание|描述|说明|説明|설명|beschrijving|beskrivning|opis|popis|açıklama",
  binary: "data",
  xml: "event xml|ereignis-xml|xml de l'événement|xml de l’événement|xml de evento|xml evento|xml del evento|xml do evento|xml события|事件 xml|イベント xml|이벤트 xml",
};

const FIELD_OF: ReadonlyMap<string, LabelField> = new Map(
  (Object.keys(WORDS) as LabelField[])
    .filter((field) => field !== "binary")
    .flatMap((field) => WORDS[field].split("|").map((word) => [word, field] as const)),
);

const LINE = /^([\p{L}][\p{L}\p{M} .'’-]{1,40}?)[ \t]{0,20}[::=][ \t]{0,40}(.*)$/u;
/** Articles write the id without a colon: `Event ID 1135`. */
const BARE_ID = /^Event ID:? {1,4}(\d{1,5})[ \t]{0,8}$/i;
const MARKS = /[\u200e\u200f\u00a0]/g;
/** What pages and issue trackers make bold, and how they end a line. */
const MARKUP = /\*\*|<br ?\/?>$/g;
const LINE_MAX_LENGTH = 2_000;

/** The field that a word labels, in any language known. */
export function labelField(word: string): LabelField | undefined {
  return FIELD_OF.get(word.trim().toLowerCase());
}

/** The label a line begins with, if it is one that Windows writes. */
export function readLabel(line: string): Label | undefined {
  if (line.length > LINE_MAX_LENGTH) return undefined;
  const text = line.replace(MARKS, " ").replace(MARKUP, "").trim();
  const bare = BARE_ID.exec(text);
  if (bare !== null) return { field: "eventId", value: bare[1] as string, word: "event id" };
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const word = (match[1] as string).trim().toLowerCase();
  const value = (match[2] as string).trim();
  const field = FIELD_OF.get(word);
  if (field === undefined) return undefined;
  // `Data:` alone heads the bytes of a Windows 2003 event; with a value it is the Italian or Portuguese date.
  if (word === "data" && value === "") return { field: "binary", value, word };
  return { field, value, word };
}
