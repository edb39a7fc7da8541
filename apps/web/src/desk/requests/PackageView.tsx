import { useMemo, useState } from "react";
import type { ReactElement } from "react";
import { toHex } from "@latchkey/client/bytes";
import { Icon } from "../../components/Icon.tsx";
import { rowOf, t } from "../../messages/words.ts";
import { formatBytes } from "../../state/format.ts";
import type { PackageFile, PackageSeen } from "./package-reader.ts";

const mostShown = 20_000;

/** What goes out, file by file, and what does not; and the number that this browser made of it, which a passkey signs. */
export function PackageView({ seen, claimed }: { readonly seen: PackageSeen; readonly claimed: string }): ReactElement {
  const digest = toHex(seen.digest);
  const isSame = seen.isWhole && digest === claimed;
  return (
    <div className="request-package">
      <h3>{t("legal.goesOut")}</h3>
      <ul className="request-files">
        {seen.files.map((file) => (
          <FileView key={file.name} file={file} />
        ))}
      </ul>
      <h3>{t("legal.staysHere")}</h3>
      <StaysHere seen={seen} />
      <details className="office-more">
        <summary>{t("legal.manifest")}</summary>
        <Text text={seen.manifest} />
      </details>
      {isSame ? (
        <div className="notice notice-good" role="status">
          <strong>{t("legal.seenSame")}</strong>
          <p>
            <code dir="ltr">{digest}</code>
          </p>
        </div>
      ) : (
        <div className="notice notice-danger" role="alert">
          <strong>{t("legal.seenOther")}</strong>
          <p>
            {t("legal.seenHere")} <code dir="ltr">{digest}</code>
          </p>
          <p>
            {t("legal.seenServer")} <code dir="ltr">{claimed}</code>
          </p>
        </div>
      )}
    </div>
  );
}

function StaysHere({ seen }: { readonly seen: PackageSeen }): ReactElement {
  const leftOut = seen.files.filter((file) => file.leftOut.length > 0);
  const notKept = seen.files.filter((file) => file.notKept.length > 0);
  if (leftOut.length === 0 && notKept.length === 0 && seen.notHeld.length === 0)
    return <p className="section-hint">{t("legal.nothingStays")}</p>;
  return (
    <>
      <ul className="request-stays" lang="en" dir="ltr">
        {seen.notHeld.map((one) => (
          <li key={one}>{one}</li>
        ))}
        {leftOut.map((file) => (
          <li key={file.name}>
            <bdi>{file.name}</bdi>: <code>{file.leftOut.join(", ")}</code>
          </li>
        ))}
      </ul>
      {notKept.map((file) => (
        <p key={file.name} className="request-stays">
          <bdi>{file.name}</bdi>, {t("legal.notKept")}: <code dir="ltr">{file.notKept.join(", ")}</code>
        </p>
      ))}
    </>
  );
}

function FileView({ file }: { readonly file: PackageFile }): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  const text = useMemo(() => (isOpen ? textOf(file.bytes) : undefined), [isOpen, file.bytes]);
  return (
    <li>
      <p>
        <Icon name={file.isAsNamed ? "checkCircle" : "alert"} size={16} /> <bdi>{file.name}</bdi>{" "}
        <span className="section-hint">
          {rowOf([t(`legal.packageFile.${file.kind}`), formatBytes(file.sizeBytes), ...(file.isPreserved ? [t("legal.ofCopy")] : [])])}
        </span>
      </p>
      {!file.isAsNamed && <p className="field-error">{t("legal.fileOther")}</p>}
      <button
        type="button"
        className="button button-small"
        aria-expanded={isOpen}
        aria-label={t("legal.fileLookOne", { name: file.name })}
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="eye" size={16} />
        {isOpen ? t("common.close") : t("legal.fileLook")}
      </button>
      {isOpen && (text === undefined ? <p className="section-hint">{t("legal.noText")}</p> : <Text text={text} />)}
    </li>
  );
}

function Text({ text }: { readonly text: string }): ReactElement {
  const [isWhole, setIsWhole] = useState(false);
  const isLong = text.length > mostShown && !isWhole;
  return (
    <>
      {/* What is longer than the frame is gone through by keys. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="request-text" dir="ltr" tabIndex={0}>
        {isLong ? text.slice(0, mostShown) : text}
      </pre>
      {isLong && (
        <button type="button" className="button button-small" onClick={() => setIsWhole(true)}>
          {t("legal.showAll", { size: formatBytes(text.length) })}
        </button>
      )}
    </>
  );
}

/** A file as text, where it is one. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
