import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { words } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { dismissStorageNote, isStorageNoteRead } from "../state/preferences.ts";
import { Icon } from "./Icon.tsx";

/** A quiet note while the browser has not promised to keep what is stored. */
export function StorageNote(): ReactElement | undefined {
  const { router } = useApp();
  const [isShown, setIsShown] = useState(false);
  useEffect(() => {
    if (isStorageNoteRead()) return;
    void navigator.storage?.persisted().then((isKept) => setIsShown(!isKept));
  }, []);
  if (!isShown) return undefined;
  const dismiss = (): void => {
    dismissStorageNote();
    setIsShown(false);
  };
  return (
    <aside className="storage-note" aria-label={words.list.storageNoteLabel}>
      <p>
        {words.list.storageNote}{" "}
        <button type="button" className="link-button" onClick={() => router.go({ kind: "settings" })}>
          {words.list.storageAction}
        </button>
      </p>
      <button type="button" className="icon-button icon-button-small" aria-label={words.common.dismiss} onClick={dismiss}>
        <Icon name="close" size={16} />
      </button>
    </aside>
  );
}
