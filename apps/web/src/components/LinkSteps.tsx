import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { ClientFailure } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { Icon } from "./Icon.tsx";

/** The digits of a linking, `402 917`: three by three. */
export function groupDigits(digits: string): string {
  return digits.replaceAll(/(\d{3})(?=\d)/gu, "$1 ");
}

/** "Do both screens show 402 917?" Where a device is added, the yes must be typed. */
export function CompareDigits({
  digits,
  deviceName,
  addsDevice,
  answer,
  cancel,
}: {
  readonly digits: string;
  readonly deviceName: string;
  /** Whether this side's yes adds the device: the side that has an account. */
  readonly addsDevice: boolean;
  readonly answer: (same: boolean) => void;
  readonly cancel: () => void;
}): ReactElement {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [hasAnswered, setHasAnswered] = useState(false);
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => headingRef.current?.focus({ preventScroll: true }), []);
  const mayAdd = !addsDevice || typed.trim().toLowerCase() === t("link.confirmWord");
  if (hasAnswered) return <Waiting label={t("link.waitingOther")} cancel={cancel} />;
  return (
    <form
      className="link-step"
      onSubmit={(event) => {
        event.preventDefault();
        if (!mayAdd) return;
        setHasAnswered(true);
        answer(true);
      }}
    >
      <h2 ref={headingRef} tabIndex={-1} id={`${id}question`}>
        {t("link.compareHeading")} <span className="link-digits">{groupDigits(digits)}</span>
      </h2>
      <p>{t("link.compareHelp")}</p>
      {addsDevice && (
        <>
          <p>{t("link.device", { device: deviceName })}</p>
          <p className="notice notice-brass">{t("link.warning")}</p>
          <div className="field">
            <label htmlFor={`${id}confirm`}>{t("link.typeToAdd", { word: t("link.confirmWord") })}</label>
            <input
              id={`${id}confirm`}
              className="input"
              value={typed}
              autoComplete="off"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        </>
      )}
      <div className="link-answers">
        <button type="button" className="button" onClick={() => answer(false)}>
          {t("link.no")}
        </button>
        <button type="submit" className="button button-primary" aria-disabled={!mayAdd} aria-describedby={`${id}question`}>
          {addsDevice ? t("link.yesAdd") : t("link.yes")}
        </button>
      </div>
      <CancelButton cancel={cancel} />
    </form>
  );
}

/** Something is under way that cannot be counted. */
export function Waiting({ label, cancel }: { readonly label: string; readonly cancel: () => void }): ReactElement {
  return (
    <div className="link-step">
      <p role="status" className="link-waiting">
        {label}…
      </p>
      <CancelButton cancel={cancel} />
    </div>
  );
}

/** Conversations move, with numbers. */
export function Moving({
  done,
  total,
  isNew,
  cancel,
}: {
  readonly done: number;
  readonly total: number;
  readonly isNew: boolean;
  readonly cancel: () => void;
}): ReactElement {
  const id = useId();
  return (
    <div className="link-step">
      <h2 id={id} className="link-moving">
        {isNew ? t("link.movingNew") : t("link.movingOld")}
      </h2>
      <progress className="progress" aria-labelledby={id} value={done} max={Math.max(1, total)} />
      <p className="link-numbers tabular">{total > 0 ? t("link.progress", { done, total }) : " "}</p>
      <p className="section-hint">{t("link.movingKeep")}</p>
      <CancelButton cancel={cancel} />
    </div>
  );
}

/** Why a linking came to nothing. */
export function LinkFailed({ failure, children }: { readonly failure: ClientFailure; readonly children: ReactNode }): ReactElement {
  const { title, advice } = failureWords(failure);
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => headingRef.current?.focus({ preventScroll: true }), []);
  return (
    <div className="link-step">
      <h2 ref={headingRef} tabIndex={-1}>
        {t("link.failedHeading")}
      </h2>
      <div className="notice notice-danger" role="alert">
        <strong>{title}</strong>
        <p>{advice}</p>
      </div>
      <div className="link-answers">{children}</div>
    </div>
  );
}

/** A linking that worked. */
export function LinkDone({ children }: { readonly children: ReactNode }): ReactElement {
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => headingRef.current?.focus({ preventScroll: true }), []);
  return (
    <div className="link-step">
      <h2 ref={headingRef} tabIndex={-1}>
        <Icon name="check" size={22} /> {t("link.doneHeading")}
      </h2>
      <p>{t("link.done")}</p>
      <div className="link-answers">{children}</div>
    </div>
  );
}

function CancelButton({ cancel }: { readonly cancel: () => void }): ReactElement {
  return (
    <button type="button" className="button button-wide button-quiet" onClick={cancel}>
      {t("link.cancel")}
    </button>
  );
}
