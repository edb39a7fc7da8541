import { useState } from "react";
import type { ReactElement } from "react";
import { fromBase64Url } from "@latchkey/client/bytes";
import { form3Grounds, letterKinds, requestLimits } from "@latchkey/client/desk";
import type { LetterInput, LetterKind, RequestDetail, RequestLetter } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { giveFile } from "../../state/give-file.ts";
import { Choices, Field, SelectField } from "../office/fields.tsx";
import { useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { useRequest, whyNot } from "./request-work.ts";

/** Letters of a request: those that were written, and another, whose text is read before it is. */
export function Letters(): ReactElement {
  const work = useRequest();
  const { found } = work;
  const [isOpen, setIsOpen] = useState(false);
  const why = whyNot("request-letter-write", work);
  return (
    <Part name="letters">
      {found.letters.length === 0 && <p className="section-hint">{t("legal.noLetters")}</p>}
      <ul className="request-letters">
        {found.letters.map((letter) => (
          <Letter key={letter.number} letter={letter} />
        ))}
      </ul>
      {why !== undefined && <WhyNot text={why} />}
      {why === undefined &&
        (isOpen ? (
          <LetterForm close={() => setIsOpen(false)} />
        ) : (
          <button type="button" className="button" onClick={() => setIsOpen(true)}>
            <Icon name="compose" size={18} />
            {t("legal.letterNew")}
          </button>
        ))}
    </Part>
  );
}

function Letter({ letter }: { readonly letter: RequestLetter }): ReactElement {
  const { found } = useRequest();
  const { isBusy, refusal, run } = useOperation();
  const [text, setText] = useState<string>();
  const read = async (as: "text" | "pdf"): Promise<void> => {
    const answer = await run("request-letter-get", { number: found.number, letter: letter.number });
    if (answer === undefined) return;
    if (as === "text") setText(answer.text);
    else giveFile(new Blob([fromBase64Url(answer.pdf)], { type: "application/pdf" }), `${answer.name.replace(/\.pdf$/, "")}.pdf`);
  };
  const title = t(`legal.letter.${letter.kind}`);
  return (
    <li>
      <p>
        <strong>{title}</strong>{" "}
        <span className="section-hint">{t("legal.letterBy", { name: letter.by, time: formatFull(letter.atMs) })}</span>
      </p>
      <div className="office-acts">
        <button
          type="button"
          className="button button-small"
          disabled={isBusy}
          aria-expanded={text !== undefined}
          aria-label={t("legal.letterReadOne", { title })}
          onClick={() => (text === undefined ? void read("text") : setText(undefined))}
        >
          {text === undefined ? t("legal.letterRead") : t("common.close")}
        </button>
        <button
          type="button"
          className="button button-small"
          disabled={isBusy}
          aria-label={t("legal.letterPdfOne", { title })}
          onClick={() => void read("pdf")}
        >
          <Icon name="download" size={16} />
          PDF
        </button>
      </div>
      <Refusal code={refusal} />
      {text !== undefined && <LetterText text={text} />}
    </li>
  );
}

function LetterText({ text }: { readonly text: string }): ReactElement {
  return (
    // What is longer than the frame is gone through by keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className="request-text" lang="en" dir="auto" tabIndex={0}>
      {text}
    </pre>
  );
}

function LetterForm({ close }: { readonly close: () => void }): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  const { refusal, run } = useOperation();
  const [kind, setKind] = useState<LetterKind>(suggestedLetter(found.letters, found.state));
  const [words, setWords] = useState(() => saidBefore(kind, found));
  const [grounds, setGrounds] = useState<readonly (typeof form3Grounds)[number][]>([]);
  /** What was read, and of which input: what was changed since has to be read again. */
  const [preview, setPreview] = useState<{ readonly text: string; readonly of: string }>();
  const letter: LetterInput = {
    kind,
    ...(words.trim() === "" ? {} : { words: words.trim() }),
    ...(kind === "form-3" ? { grounds } : {}),
  };
  const isUnready = kind === "form-3" && grounds.length === 0;
  const isRead = preview?.of === JSON.stringify(letter);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isRead) {
          void act("request-letter-write", { ...at, letter }).then((isDone) => isDone && close());
          return;
        }
        void run("request-letter-preview", { number: found.number, letter }).then(
          (answer) => answer !== undefined && setPreview({ text: answer.text, of: JSON.stringify(letter) }),
        );
      }}
    >
      <SelectField
        label={t("legal.letterKind")}
        hint={t(`legal.letterHint.${kind}`)}
        choices={letterKinds.map((one) => [one, t(`legal.letter.${one}`)])}
        chosen={kind}
        change={(next) => {
          // What was said of one act is no part of a letter about another; what somebody wrote themselves stays.
          if (words === saidBefore(kind, found)) setWords(saidBefore(next, found));
          setKind(next);
        }}
      />
      {kind === "form-3" && (
        <Choices
          label={t("legal.form3")}
          choices={form3Grounds.map((one) => [one, t(`legal.form3Ground.${one}`)])}
          chosen={grounds}
          isWrong={false}
          change={(chosen) => setGrounds(form3Grounds.filter((one) => chosen.includes(one)))}
        />
      )}
      <Field
        label={t("legal.letterWords")}
        hint={t("legal.letterWordsHint")}
        value={words}
        rows={3}
        most={requestLimits.words}
        change={setWords}
      />
      <Refusal code={refusal} />
      {isRead && <LetterText text={preview.text} />}
      <div className="office-acts">
        <button type="submit" className="button button-primary" disabled={isBusy || isUnready}>
          {isRead ? t("legal.letterWrite") : t("legal.letterPreview")}
        </button>
        <button type="button" className="button" onClick={close}>
          {t("common.cancel")}
        </button>
      </div>
    </form>
  );
}

/** What was written down with the act that the letter tells of: it says so, unless somebody takes it out. */
function saidBefore(kind: LetterKind, { refusal, challenge }: RequestDetail): string {
  if (kind === "refusal") return refusal?.words ?? "";
  return kind === "challenge" ? (challenge?.words ?? "") : "";
}

/** The letter that is most likely wanted. */
function suggestedLetter(letters: readonly RequestLetter[], state: string): LetterKind {
  if (state === "refused") return "refusal";
  if (state === "challenged") return "challenge";
  return letters.some(({ kind }) => kind === "acknowledgement") ? "answer" : "acknowledgement";
}
