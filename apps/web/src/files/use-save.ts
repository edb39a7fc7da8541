import { useState } from "react";
import type { AttachedFile } from "@latchkey/client";
import { failureWords } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { failureOf } from "../worker/protocol.ts";
import { ShowError } from "./file-source.ts";
import type { ShowFailure } from "./file-source.ts";
import type { FileHolder } from "./holder.ts";
import { useFileSource } from "./use-files.ts";

/** Saves a file, and tells what became of it. */
export function useSave(
  message: FileHolder,
  file: AttachedFile,
): { readonly run: () => void; readonly isBusy: boolean; readonly failure: ShowFailure | undefined } {
  const { notify } = useApp();
  const source = useFileSource();
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<ShowFailure>();
  const run = (): void => {
    setIsBusy(true);
    setFailure(undefined);
    source
      .save({ message, file })
      .catch((error: unknown) => {
        if (error instanceof ShowError) {
          setFailure(error.why);
          return;
        }
        const told = failureOf(error);
        // Whoever ended it knows.
        if (told.code === "closed") return;
        if (told.code === "file_gone") setFailure("gone");
        else {
          const { title, advice } = failureWords(told);
          notify(`${title}. ${advice}`);
        }
      })
      .finally(() => setIsBusy(false));
  };
  return { run, isBusy, failure };
}
