import { useId, useRef, useState } from "react";
import type { ClipboardEvent, KeyboardEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { completeAt, nearestWord, offerWords, phraseLength, putWords, splitPhrase } from "../state/phrase.ts";

/** 24 numbered fields for the words of a recovery phrase: completed from the list, checked one by one, filled by a paste. */
export function PhraseField({
  typed,
  list,
  change,
  isDisabled,
}: {
  readonly typed: readonly string[];
  /** The words there are; empty while they are fetched. */
  readonly list: readonly string[];
  /** Makes the words of now into others; several calls in one moment build on each other. */
  readonly change: (next: (typed: readonly string[]) => readonly string[]) => void;
  readonly isDisabled: boolean;
}): ReactElement {
  const id = useId();
  const fields = useRef<(HTMLInputElement | null)[]>([]);
  const [focused, setFocused] = useState<number>();
  const known = new Set(list);
  const set = (index: number, word: string): void => change((now) => putWords(now, index, [word]));
  const isWrong = (index: number): boolean => {
    const word = typed[index] ?? "";
    return list.length > 0 && word !== "" && index !== focused && !known.has(word);
  };
  const firstWrong = typed.findIndex((_, index) => isWrong(index));
  const wrongWord = typed[firstWrong] ?? "";
  const nearest = firstWrong < 0 ? undefined : nearestWord(wrongWord, list);

  const fill = (from: number, many: readonly string[]): void => {
    change((now) => putWords(now, from, many));
    fields.current[Math.min(from + many.length, phraseLength - 1)]?.focus();
  };
  const onPaste = (event: ClipboardEvent, index: number): void => {
    const many = splitPhrase(event.clipboardData.getData("text"));
    if (many.length < 2) return;
    event.preventDefault();
    fill(many.length >= phraseLength ? 0 : index, many.slice(0, phraseLength));
  };
  const complete = (index: number): void => change((now) => completeAt(now, index, list));
  const onKeyDown = (event: KeyboardEvent, index: number): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === " " || (event.key === "Enter" && index < phraseLength - 1)) {
      event.preventDefault();
      complete(index);
      if ((typed[index] ?? "") !== "") fields.current[index + 1]?.focus();
    } else if (event.key === "Backspace" && (typed[index] ?? "") === "" && index > 0) {
      event.preventDefault();
      fields.current[index - 1]?.focus();
    }
  };

  return (
    <fieldset className="phrase-field" disabled={isDisabled} aria-describedby={`${id}hint`}>
      <legend>{t("recover.words")}</legend>
      <p id={`${id}hint`} className="section-hint">
        {t("recover.hint")}
      </p>
      <ol className="phrase phrase-inputs" translate="no">
        {typed.map((word, index) => (
          // The places stay, whatever stands in them.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index} className={isWrong(index) ? "phrase-wrong" : known.has(word) ? "phrase-known" : undefined}>
            <span className="phrase-number" aria-hidden="true">
              {index + 1}
            </span>
            <input
              ref={(element) => {
                fields.current[index] = element;
              }}
              className="phrase-input"
              aria-label={t("recover.word", { number: index + 1 })}
              aria-invalid={isWrong(index)}
              list={index === focused ? `${id}list` : undefined}
              value={word}
              autoComplete="off"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onPaste={(event) => onPaste(event, index)}
              onKeyDown={(event) => onKeyDown(event, index)}
              onFocus={() => setFocused(index)}
              onBlur={() => {
                setFocused((now) => (now === index ? undefined : now));
                complete(index);
              }}
              onChange={(event) => {
                const many = splitPhrase(event.target.value);
                // Some keyboards of phones put in several words at once.
                if (many.length > 1) fill(index, many);
                else set(index, many[0] ?? "");
              }}
            />
          </li>
        ))}
      </ol>
      <datalist id={`${id}list`}>
        {offerWords(focused === undefined ? "" : (typed[focused] ?? ""), list).map((word) => (
          <option key={word}>{word}</option>
        ))}
      </datalist>
      <div className="field-hint" aria-live="polite">
        {firstWrong >= 0 && (
          <p className="field-error">
            {t("recover.notInList", { word: wrongWord, number: firstWrong + 1 })}.{" "}
            {nearest !== undefined && (
              <button type="button" className="link-button" onClick={() => set(firstWrong, nearest)}>
                {t("recover.didYouMean", { suggestion: nearest })}
              </button>
            )}
          </p>
        )}
      </div>
    </fieldset>
  );
}
