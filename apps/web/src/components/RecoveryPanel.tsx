import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction, useSelector } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { choosePlaces } from "../state/phrase.ts";
import { useNow } from "../state/use-now.ts";
import { ConfirmDialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import "../styles/account.css";

const checkedWords = 3;

type Step = "why" | "words" | "check" | "done";

/** How far somebody is in writing it down. */
export interface RecoveryProgress {
  readonly step: Step;
  /** While it is shown, or asked for. */
  readonly phrase: readonly string[] | undefined;
}

const begins: RecoveryProgress = { step: "why", phrase: undefined };

/** How far somebody is, where the panel may stand in one place or another, and how it is forgotten. */
export type KeptProgress = readonly [progress: RecoveryProgress | undefined, keep: (progress: RecoveryProgress | undefined) => void];

/** The recovery phrase: why, the words, a check that they are on paper; then this device forgets them. */
export function RecoveryPanel({
  headingLevel,
  kept,
  finish,
}: {
  readonly headingLevel?: 1 | 2;
  /** Where it is kept how far somebody is; else it is lost with the panel. */
  readonly kept?: KeptProgress;
  readonly finish: () => void;
}): ReactElement {
  const { controller } = useApp();
  const hasPhrase = useSelector((state) => state.account?.hasRecoveryPhrase === true);
  const own = useState<RecoveryProgress>();
  const [progress = begins, setProgress] = kept ?? own;
  const { step, phrase } = progress;
  const setStep = (next: Step): void => setProgress({ ...progress, step: next });
  const act = useAction();
  const [isErasing, actErasing] = useBusyAction();
  const Heading = headingLevel === 1 ? "h1" : "h2";

  const show = (): void => {
    void act(async () => {
      setProgress({ step: "words", phrase: await controller.client.recoveryPhrase() });
    });
  };
  const end = (): void => {
    setProgress(undefined);
    finish();
  };
  const later = (): void => {
    controller.putOffRecovery();
    end();
  };
  // Said to be done once the device has it on its disk; until then the panel holds what it shows.
  const erase = (): void => {
    void actErasing(() => controller.finishRecovery()).then((isDone) => {
      if (isDone) setProgress({ step: "done", phrase: undefined });
    });
  };

  return (
    <div className="recovery">
      {headingLevel !== undefined && <Heading className="recovery-heading">{t("recovery.heading")}</Heading>}
      {step === "done" ? (
        <Done finish={end} />
      ) : !hasPhrase && phrase === undefined ? (
        <None finish={end} />
      ) : step === "words" && phrase !== undefined ? (
        <Words phrase={phrase} next={() => setStep("check")} later={later} />
      ) : step === "check" && phrase !== undefined ? (
        <Check headingLevel={headingLevel === 2 ? 3 : 2} phrase={phrase} again={() => setStep("words")} isBusy={isErasing} finish={erase} />
      ) : (
        <>
          <p>{t("recovery.why")}</p>
          <p>{t("recovery.whyNot")}</p>
          <p className="recovery-hint">
            <Icon name="lock" size={16} /> {t("recovery.hidden")}
          </p>
          <div className="recovery-actions">
            <button type="button" className="button" onClick={later}>
              {t("recovery.later")}
            </button>
            <button type="button" className="button button-primary" onClick={show}>
              {t("recovery.show")}
            </button>
          </div>
        </>
      )}
    </div>
  );
}

function Words({
  phrase,
  next,
  later,
}: {
  readonly phrase: readonly string[];
  readonly next: () => void;
  readonly later: () => void;
}): ReactElement {
  const account = useSelector((state) => state.account);
  const nowMs = useNow();
  const [isCopying, setIsCopying] = useState(false);
  const [note, setNote] = useState("");
  const listRef = useRef<HTMLOListElement>(null);
  useEffect(() => listRef.current?.focus({ preventScroll: true }), []);
  const copy = (): Promise<boolean> =>
    navigator.clipboard.writeText(phrase.join(" ")).then(
      () => {
        setNote(t("recovery.copied"));
        return true;
      },
      () => {
        setNote(t("recovery.copyFailed"));
        return true;
      },
    );
  return (
    <>
      <p>{t("recovery.whyNot")}</p>
      <div className="phrase-sheet">
        <p className="phrase-print">
          <strong>{t("recovery.printTitle", { address: `${account?.username ?? ""}@${account?.host ?? ""}` })}</strong>
        </p>
        {/* Focused when it comes, so that a screen reader reads it out. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-redundant-roles */}
        <ol ref={listRef} role="list" tabIndex={-1} className="phrase" aria-label={t("recovery.words")} translate="no">
          {phrase.map((word, index) => (
            // The same word may stand in two places.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={`${String(index)}:${word}`}>
              <span className="phrase-number">{index + 1}</span> <b>{word}</b>
            </li>
          ))}
        </ol>
        <p className="phrase-print">{t("recovery.printNote")}</p>
        <p className="phrase-print">{t("recovery.printDate", { date: formatDate(nowMs) })}</p>
      </div>
      <div className="recovery-tools">
        <button type="button" className="button" onClick={() => globalThis.print()}>
          <Icon name="print" size={18} />
          {t("recovery.print")}
        </button>
        <button type="button" className="button" onClick={() => setIsCopying(true)}>
          <Icon name="copy" size={18} />
          {t("recovery.copy")}
        </button>
      </div>
      <p className="recovery-note" aria-live="polite">
        {note}
      </p>
      <div className="recovery-actions">
        <button type="button" className="button" onClick={later}>
          {t("recovery.later")}
        </button>
        <button type="button" className="button button-primary" onClick={next}>
          {t("recovery.next")}
        </button>
      </div>
      {isCopying && (
        <ConfirmDialog
          title={t("recovery.copyTitle")}
          body={t("recovery.copyBody")}
          confirmLabel={t("recovery.copyConfirm")}
          confirm={copy}
          close={() => setIsCopying(false)}
          isHarmless
        />
      )}
    </>
  );
}

function Check({
  headingLevel,
  phrase,
  again,
  isBusy,
  finish,
}: {
  readonly headingLevel: 2 | 3;
  readonly phrase: readonly string[];
  readonly again: () => void;
  readonly isBusy: boolean;
  readonly finish: () => void;
}): ReactElement {
  const Heading = headingLevel === 2 ? "h2" : "h3";
  const id = useId();
  const places = useMemo(() => choosePlaces(checkedWords, phrase.length), [phrase.length]);
  const [typed, setTyped] = useState<readonly string[]>(() => places.map(() => ""));
  const [wrong, setWrong] = useState<ReadonlySet<number>>(new Set());
  const fields = useRef<(HTMLInputElement | null)[]>([]);
  useEffect(() => fields.current[0]?.focus({ preventScroll: true }), []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const bad = new Set(places.flatMap((place, index) => (typed[index]?.trim().toLowerCase() === phrase[place] ? [] : [index])));
    setWrong(bad);
    const [first] = bad;
    if (first !== undefined) fields.current[first]?.focus();
    else finish();
  };
  return (
    <form onSubmit={submit} noValidate className="phrase-check">
      <Heading className="phrase-check-heading">{t("recovery.check")}</Heading>
      <p className="section-hint">{t("recovery.checkBody")}</p>
      {places.map((place, index) => (
        <div className="field" key={place}>
          <label htmlFor={`${id}${String(index)}`}>{t("recovery.word", { number: place + 1 })}</label>
          <input
            ref={(element) => {
              fields.current[index] = element;
            }}
            id={`${id}${String(index)}`}
            className="input"
            value={typed[index]}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            translate="no"
            aria-invalid={wrong.has(index)}
            aria-describedby={`${id}${String(index)}hint`}
            onChange={(event) => {
              const { value } = event.target;
              setTyped((before) => before.map((one, at) => (at === index ? value : one)));
              setWrong((before) => new Set([...before].filter((at) => at !== index)));
            }}
          />
          <div id={`${id}${String(index)}hint`} className="field-hint" aria-live="polite">
            {wrong.has(index) && (
              <p className="field-error">
                {typed[index]?.trim() === "" ? t("recovery.empty", { number: place + 1 }) : t("recovery.wrong", { number: place + 1 })}
              </p>
            )}
          </div>
        </div>
      ))}
      <div className="recovery-actions">
        <button type="button" className="button" disabled={isBusy} onClick={again}>
          {t("recovery.again")}
        </button>
        <button type="submit" className="button button-primary" disabled={isBusy}>
          {t("recovery.finish")}
        </button>
      </div>
    </form>
  );
}

function Done({ finish }: { readonly finish: () => void }): ReactElement {
  const ref = useRef<HTMLParagraphElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <>
      <p ref={ref} tabIndex={-1} className="notice notice-good">
        <Icon name="check" size={18} /> {t("recovery.done")}
      </p>
      <div className="recovery-actions">
        <button type="button" className="button button-primary" onClick={finish}>
          {t("recovery.doneAction")}
        </button>
      </div>
    </>
  );
}

function None({ finish }: { readonly finish: () => void }): ReactElement {
  return (
    <>
      <p className="notice">{t("recovery.none")}</p>
      <div className="recovery-actions">
        <button type="button" className="button" onClick={finish}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}
