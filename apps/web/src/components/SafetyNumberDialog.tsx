import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { MemberVerification, Person, SafetyNumber, SafetyScan } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { CodeScanner } from "./CodeScanner.tsx";
import { Modal } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { QrCode } from "./QrCode.tsx";
import { nameOf } from "../state/person-name.ts";

/** The number to compare with one person: 60 digits, a code to scan, a mark to set. */
export function SafetyNumberDialog({
  person,
  mark,
  close,
}: {
  readonly person: Person;
  readonly mark: MemberVerification["mark"];
  readonly close: () => void;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [number, setNumber] = useState<SafetyNumber>();
  const [isScanning, setIsScanning] = useState(false);
  const [result, setResult] = useState<SafetyScan>();
  const { accountId } = person;
  const displayName = nameOf(person);
  useEffect(() => {
    void act(async () => setNumber(await controller.client.safetyNumber(accountId)));
  }, [accountId, act, controller]);
  const scanned = (code: string): void => {
    setIsScanning(false);
    void act(async () => setResult(await controller.client.scanSafetyNumber(accountId, code)));
  };
  const setMark = (isVerified: boolean): void => {
    setResult(undefined);
    void act(() => controller.client.markVerified(accountId, isVerified));
  };
  const isMarked = mark === "verified";
  return (
    <Modal title={t("verification.safetyNumberWith", { person: displayName })} close={close}>
      <p className="dialog-body">{t("safety.intro", { person: displayName })}</p>
      <div aria-live="assertive">
        {result !== undefined && (
          <p className={`notice ${result === "match" ? "notice-good" : "notice-danger"} safety-result`}>
            <Icon name={result === "match" ? "check" : "alert"} size={18} /> {t(`safety.results.${result}`)}
          </p>
        )}
      </div>
      {number !== undefined &&
        (isScanning ? (
          <CodeScanner found={scanned} close={() => setIsScanning(false)} />
        ) : (
          <>
            {/* A list without markers is no list to some screen readers unless told. */}
            {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
            <ol role="list" className="safety-number" aria-label={t("safety.numbers")} dir="ltr">
              {number.groups.map((group, index) => (
                // The same five digits may stand in two places.
                // oxlint-disable-next-line react/no-array-index-key
                <li key={`${String(index)}:${group}`}>{group}</li>
              ))}
            </ol>
            <QrCode text={number.code} label={t("safety.qr", { person: displayName })} />
            <div className="safety-actions">
              <button type="button" className="button" onClick={() => setIsScanning(true)}>
                <Icon name="camera" size={18} />
                {t("safety.scan", { person: displayName })}
              </button>
              {!isMarked && (
                <button type="button" className="button button-primary" onClick={() => setMark(true)}>
                  <Icon name="shield" size={18} />
                  {t("safety.mark")}
                </button>
              )}
            </div>
            <p className="safety-note" role="status">
              {isMarked ? (
                <>
                  {t("safety.marked")}{" "}
                  <button type="button" className="link-button" onClick={() => setMark(false)}>
                    {t("safety.unmark")}
                  </button>
                </>
              ) : (
                t("safety.sameOnBoth")
              )}
            </p>
          </>
        ))}
    </Modal>
  );
}
