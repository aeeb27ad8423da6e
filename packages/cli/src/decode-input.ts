/** Decodes the inputs one after the other, chunk by chunk; what cannot be read is handed to `onFailure`. */
import { createDecoder, type DecodedEvent, type DecodeFailure, type Selection, type Shown } from "@culprit/formats";
import type { EpochMs } from "@culprit/model";
import type { InputFile } from "./input-files.ts";

export interface DecodeInputOptions {
  readonly zone: string;
  readonly now: EpochMs;
  readonly selection?: Selection;
  /** Asked of each record that the selection does not want; false decodes it after all. */
  readonly canDoWithout?: (shown: Shown, path: string) => boolean;
  readonly onFailure: (failure: DecodeFailure) => void;
}

/** Every event of the inputs, in their order. Errors: a file that cannot be opened or read is a failure like any other. */
export async function* decodeInput(
  files: readonly InputFile[],
  options: DecodeInputOptions,
): AsyncGenerator<DecodedEvent> {
  const { canDoWithout } = options;
  for (const file of files) {
    const decoder = createDecoder({
      zone: options.zone,
      receivedAt: options.now,
      path: file.path,
      ...(options.selection === undefined ? {} : { selection: options.selection }),
      ...(canDoWithout === undefined ? {} : { canDoWithout: (shown) => canDoWithout(shown, file.path) }),
    });
    try {
      for await (const chunk of file.open()) {
        for (const item of decoder.push(chunk)) {
          if (item.event === undefined) options.onFailure(item);
          else yield item;
        }
      }
      for (const item of decoder.end()) {
        if (item.event === undefined) options.onFailure(item);
        else yield item;
      }
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
      options.onFailure({
        failure: { reason: "input.unreadable", detail: error.message },
        record: new Uint8Array(0),
        source: { format: "unknown", offset: 0, path: file.path },
      });
    }
  }
}

/** Everything that could move a terminal's cursor or end the line. */
const CONTROL = /\p{Cc}/gu;

/** `path:offset: reason: detail`, one line, without control characters. */
export function failureLine({ failure, source }: DecodeFailure): string {
  const where = `${source.path ?? "-"}:${failure.offset ?? source.offset}`;
  return `${where}: ${failure.reason}: ${failure.detail}`.replace(CONTROL, "?");
}
