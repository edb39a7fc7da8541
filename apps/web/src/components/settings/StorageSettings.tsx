import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { formatBytes } from "../../state/format.ts";
import { lazyComponent } from "../lazy.tsx";

const StoredFiles = lazyComponent(async () => (await import("../../files/StoredFiles.tsx")).StoredFiles, "files");

/** How much of this device Latchkey uses, and whether the browser has promised to keep it. */
export function StorageSettings(): ReactElement {
  const [isKept, setIsKept] = useState<boolean>();
  const [wasRefused, setWasRefused] = useState(false);
  const [usedBytes, setUsedBytes] = useState<number>();
  useEffect(() => {
    void navigator.storage?.persisted().then(setIsKept);
    void navigator.storage?.estimate().then(({ usage }) => setUsedBytes(usage));
  }, []);
  const ask = async (): Promise<void> => {
    const answer = await navigator.storage.persist();
    setIsKept(answer);
    setWasRefused(!answer);
  };
  return (
    <>
      {usedBytes !== undefined && usedBytes > 0 && (
        <p className="storage-used tabular">{t("settings.storageUsed", { amount: formatBytes(usedBytes) })}</p>
      )}
      <p>{isKept === true ? t("settings.storageKept") : t("settings.storageNotKept")}</p>
      {isKept === false && (
        <button type="button" className="button" onClick={() => void ask()}>
          {t("settings.storageAsk")}
        </button>
      )}
      <div aria-live="polite">{wasRefused && <p className="section-hint">{t("settings.storageRefused")}</p>}</div>
      {/* The browser notices it late. */}
      <StoredFiles removed={(bytes) => setUsedBytes((before) => (before === undefined ? before : Math.max(0, before - bytes)))} />
    </>
  );
}
