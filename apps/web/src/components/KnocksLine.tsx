import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { useKnocks } from "../state/use-knocks.ts";
import { Icon } from "./Icon.tsx";

/** At the head of the list: that the person waits somewhere to be let in, with the way to where. */
export function KnocksLine(): ReactElement | undefined {
  const { router } = useApp();
  const knocks = useKnocks();
  if (knocks === undefined || knocks.length === 0) return undefined;
  return (
    <button type="button" className="list-requests" onClick={() => router.go({ kind: "requests" })}>
      <Icon name="clock" size={20} />
      <span>{t("knocks.line", { n: knocks.length })}</span>
      <Icon name="forward" size={16} />
    </button>
  );
}
