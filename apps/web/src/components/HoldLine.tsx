import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { holdWords, t } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";
import { Icon } from "./Icon.tsx";

/** What passes in this time is not worth a line. */
const patienceMs = 1500;

/** Why nothing is sent in a conversation just now. */
export function HoldLine({ id, openDetails }: { readonly id: string; readonly openDetails: (() => void) | undefined }): ReactElement {
  const hold = useSelector((state) => state.verifications.get(id)?.hold);
  const [isLate, setIsLate] = useState(false);
  const isHeld = hold !== undefined;
  useEffect(() => {
    setIsLate(false);
    if (!isHeld) return undefined;
    const timer = setTimeout(() => setIsLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isHeld]);
  return (
    <div role="status">
      {hold !== undefined && isLate && (
        <div className="hold">
          <Icon name="alert" size={20} />
          <p>
            <strong>{t("conversation.hold")}</strong> {holdWords(hold)} {t("conversation.holdWaiting")}{" "}
            {openDetails !== undefined && (
              <button type="button" className="link-button" onClick={openDetails}>
                {t("conversation.holdDetails")}
              </button>
            )}
          </p>
        </div>
      )}
    </div>
  );
}
