import type { ReactElement } from "react";
import type { AttachedFile, FileState } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { formatPercent } from "../state/format.ts";
import type { FileHolder } from "./holder.ts";
import { shareOf } from "./transfer.ts";

const radius = 20;
const round = 2 * Math.PI * radius;

/** How far a file is on its way, with the button that ends that. */
export function Progress({
  message,
  file,
  state,
}: {
  readonly message: FileHolder;
  readonly file: AttachedFile;
  readonly state: FileState | undefined;
}): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const share = shareOf(state);
  if (share === undefined) return undefined;
  const said = formatPercent(Math.floor(share * 100));
  return (
    <span className="file-progress">
      <span role="progressbar" aria-label={file.name} aria-valuenow={Math.floor(share * 100)} aria-valuemin={0} aria-valuemax={100}>
        <svg width={48} height={48} viewBox="0 0 48 48" aria-hidden="true">
          <circle cx={24} cy={24} r={radius} className="file-progress-all" />
          <circle
            cx={24}
            cy={24}
            r={radius}
            className="file-progress-done"
            strokeDasharray={round}
            strokeDashoffset={round * (1 - share)}
          />
        </svg>
      </span>
      <button
        type="button"
        className="file-progress-cancel"
        aria-label={t("files.cancel", { name: file.name })}
        title={`${said} · ${t("common.cancel")}`}
        onClick={() => void act(() => controller.client.cancelFile(message.conversationId, message.id, file.id))}
      >
        <Icon name="close" size={18} />
      </button>
    </span>
  );
}
