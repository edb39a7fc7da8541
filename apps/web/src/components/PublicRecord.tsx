import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { DirectoryStatus } from "@latchkey/client";
import { accountWords } from "../messages/account-words.ts";
import { useApp, useNow } from "../state/context.ts";
import { formatAgo } from "../state/format.ts";

const text = accountWords.record;

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
      <p className="section-hint">{text.why}</p>
    </>
  );
}

function describe(status: DirectoryStatus, nowMs: number): string {
  const { host, size, witnesses, required, checkedAtMs } = status;
  const ago = formatAgo(checkedAtMs, nowMs);
  switch (status.status) {
    case "checked":
      return text.checked({ host, size, witnesses, required, ago });
    case "unwatched":
      return text.unwatched(host, size, ago, required > 0);
    case "unchecked":
      return text.unchecked(host);
  }
}
