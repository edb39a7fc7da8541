import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { DirectoryStatus } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatAgo } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";

/** What this device knows of its server's public record of keys, in plain words. */
export function PublicRecord(): ReactElement {
  const { controller } = useApp();
  const [status, setStatus] = useState<DirectoryStatus>();
  const nowMs = useNow();
  useEffect(() => {
    let isGone = false;
    const ask = async (): Promise<void> => {
      const next = await controller.client.directoryStatus();
      if (!isGone) setStatus(next);
    };
    void ask().catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [controller]);
  return (
    <>
      <p>{status === undefined ? "" : describe(status, nowMs)}</p>
      <p className="section-hint">{t("record.why")}</p>
    </>
  );
}

function describe(status: DirectoryStatus, nowMs: number): string {
  const { host, size, witnesses, required, checkedAtMs } = status;
  const ago = formatAgo(checkedAtMs, nowMs);
  switch (status.status) {
    case "checked":
      return t("record.checked", { host, size, witnesses, required, ago });
    case "unwatched":
      return t("record.unwatched", { host, size, ago, witnesses: required > 0 ? "some" : "other" });
    case "unchecked":
      return t("record.unchecked", { host });
  }
}
