import type { ReactElement } from "react";
import { failureWords } from "../messages/words.ts";
import { fileKey } from "../state/app-state.ts";
import { useSelector } from "../state/context.ts";
import type { FileHolder } from "./holder.ts";

/** Why the files of a message do not go on now, where that is not the network alone, and what the person can do about it. */
export function UploadCause({ message }: { readonly message: FileHolder }): ReactElement | undefined {
  const { id, files = [] } = message;
  const cause = useSelector((state) => {
    for (const file of files) {
      const known = state.files.get(fileKey(id, file.id));
      if (known?.kind === "sending" && known.cause !== undefined && known.cause !== "offline") return known.cause;
    }
    return undefined;
  });
  if (cause === undefined) return undefined;
  const { title, advice } = failureWords({ code: cause, message: "", canRetry: true });
  return title === "" ? undefined : (
    <p className="file-note" role="status">
      {title}. {advice}
    </p>
  );
}
