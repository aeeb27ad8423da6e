/** Text for targets that count in bytes of UTF-8. */
import { cut } from "@culprit/model";

/** As much of a text as fits, with `…` where something was cut; never half a character. */
export function cutBytes(text: string, bytesMax: number): string {
  let kept = text;
  for (let size = Buffer.byteLength(kept); size > bytesMax; size = Buffer.byteLength(kept)) {
    kept = cut(kept, Math.min(kept.length - 1, Math.floor((kept.length * bytesMax) / size)));
  }
  return kept;
}
