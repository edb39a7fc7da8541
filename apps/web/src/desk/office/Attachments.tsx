import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { deskAttachmentsPath } from "@latchkey/client/desk";
import type { CaseAttachment } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { formatBytes } from "../../state/format.ts";
import { gentlest, loadWellbeing, saveWellbeing } from "./wellbeing.ts";
import type { Wellbeing } from "./wellbeing.ts";

/** What a browser can show of what a stranger sent: by kind, never as a page or a script. */
const shown = {
  picture: /^image\/(?:png|jpeg|webp|gif|avif)$/,
  film: /^video\/(?:mp4|webm)$/,
  sound: /^audio\/(?:mp4|mpeg|ogg|webm|wav)$/,
};

/** How somebody wants to see what is hard to look at; kept in this browser. */
export function WellbeingChoice({
  value,
  change,
}: {
  readonly value: Wellbeing;
  readonly change: (value: Wellbeing) => void;
}): ReactElement {
  const box = (name: keyof Wellbeing, words: string): ReactElement => (
    <label>
      <input type="checkbox" checked={value[name]} onChange={(event) => change({ ...value, [name]: event.target.checked })} />
      <span>{words}</span>
    </label>
  );
  return (
    <fieldset className="office-roles wellbeing">
      <legend>{t("cases.wellbeing")}</legend>
      {box("isBlurred", t("cases.blurred"))}
      {box("isGrey", t("cases.grey"))}
      {box("isMuted", t("cases.muted"))}
    </fieldset>
  );
}

/** The files of a case: fetched one at a time, when somebody asks for it, and shown as gently as they chose. */
export function Attachments({ number, files }: { readonly number: number; readonly files: readonly CaseAttachment[] }): ReactElement {
  const [wellbeing, setWellbeing] = useState(() => (typeof localStorage === "undefined" ? gentlest : loadWellbeing(localStorage)));
  return (
    <>
      <WellbeingChoice
        value={wellbeing}
        change={(value) => {
          setWellbeing(value);
          saveWellbeing(localStorage, value);
        }}
      />
      <ul className="case-files">
        {files.map((file) => (
          <File key={file.number} caseNumber={number} file={file} wellbeing={wellbeing} />
        ))}
      </ul>
    </>
  );
}

function File(props: { readonly caseNumber: number; readonly file: CaseAttachment; readonly wellbeing: Wellbeing }): ReactElement {
  const { caseNumber, file, wellbeing } = props;
  const { mediaType } = file;
  const kind = shown.picture.test(mediaType)
    ? "picture"
    : shown.film.test(mediaType)
      ? "film"
      : shown.sound.test(mediaType)
        ? "sound"
        : undefined;
  const [url, setUrl] = useState<string>();
  const [state, setState] = useState<"idle" | "fetching" | "failed">("idle");
  const [isClear, setIsClear] = useState(false);
  const made = useRef<string>(undefined);
  useEffect(
    () => () => {
      if (made.current !== undefined) URL.revokeObjectURL(made.current);
    },
    [],
  );
  const show = async (): Promise<void> => {
    setState("fetching");
    try {
      const response = await fetch(`${deskAttachmentsPath}/${caseNumber}/${file.number}`, {
        cache: "no-store",
        credentials: "same-origin",
      });
      if (!response.ok) throw new Error("not given out");
      // As the kind that was checked above: what the bytes say of themselves counts for nothing.
      made.current = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: mediaType }));
      setUrl(made.current);
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  const look = [wellbeing.isBlurred && !isClear ? "case-file-blurred" : "", wellbeing.isGrey ? "case-file-grey" : ""].join(" ").trim();
  return (
    <li className="case-file">
      <p>
        <span className="tabular">{file.number}</span> <bdi>{mediaType}</bdi>{" "}
        <span className="section-hint">{formatBytes(file.sizeBytes)}</span>{" "}
        <span className="case-state">{t(`cases.fileVerdict.${file.verdict}`)}</span>
      </p>
      {kind === undefined && <p className="section-hint">{t("cases.fileUnshown")}</p>}
      {kind !== undefined && url === undefined && (
        <button type="button" className="button button-small" disabled={state === "fetching"} onClick={() => void show()}>
          {t(`cases.fileShow.${kind}`)}
        </button>
      )}
      {state === "failed" && <p role="alert">{t("cases.fileFailed")}</p>}
      {url !== undefined && (
        <>
          <div className="case-file-frame">
            {kind === "picture" && <img className={look} src={url} alt={t("cases.fileAlt", { n: file.number })} />}
            {/* What strangers sent has no captions. */}
            {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
            {kind === "film" && <video className={look} src={url} controls muted={wellbeing.isMuted} preload="metadata" />}
            {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
            {kind === "sound" && <audio src={url} controls muted={wellbeing.isMuted} preload="metadata" />}
          </div>
          {kind !== "sound" && wellbeing.isBlurred && (
            <button type="button" className="button button-small" aria-pressed={isClear} onClick={() => setIsClear(!isClear)}>
              {t("cases.fileClear")}
            </button>
          )}
        </>
      )}
    </li>
  );
}
