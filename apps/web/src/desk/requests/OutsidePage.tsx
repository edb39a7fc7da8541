import "../office/office.css";
import "./requests.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import { toHex } from "@latchkey/client/bytes";
import type { DeskOutput } from "@latchkey/client/desk";
import { Icon, Mark } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { createAskDesk, patient } from "../office/desk-api.ts";
import type { AskDesk } from "../office/desk-api.ts";
import { askPasskey, makePasskey } from "../office/passkey.ts";
import type { PasskeyRefusal } from "../office/passkey.ts";
import { isChallenge } from "./approve.ts";
import { NotDone } from "./NotDone.tsx";
import { readPackageOutside } from "./package-reader.ts";
import type { NotRead, PackageSeen } from "./package-reader.ts";
import { PackageView } from "./PackageView.tsx";
import { notReadText, outsideText } from "./refusal-words.ts";

type Begun = DeskOutput<"outside-begin">;
/** What a passkey opened: for an hour, and for this release alone. The link is used up by then, so that it is kept before anything is read. */
type Opened = DeskOutput<"outside-enrol">;

/** Why something was not done, and in which step. */
type Failure =
  | { readonly step: "begin" | "open" | "approve"; readonly code: PasskeyRefusal }
  | { readonly step: "read"; readonly code: NotRead }
  | { readonly step: "compare" };

/** For somebody outside, by a link that counts once: a passkey of their own opens what would be released, all of it, and nothing else. */
export function OutsidePage({ code }: { readonly code: string }): ReactElement {
  const ask = useMemo<AskDesk>(
    () =>
      patient(
        createAskDesk((...request) => globalThis.fetch(...request)),
        (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      ),
    [],
  );
  const [begun, setBegun] = useState<Begun>();
  const [opened, setOpened] = useState<Opened>();
  const [seen, setSeen] = useState<PackageSeen>();
  const [isBusy, setIsBusy] = useState(false);
  const [isDone, setIsDone] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const head = useRef<HTMLHeadingElement>(null);
  /** Does one thing at a time, and says why it was not done. */
  const run = useCallback(async (act: () => Promise<Failure | undefined>): Promise<void> => {
    setIsBusy(true);
    setFailure(undefined);
    try {
      setFailure(await act());
    } finally {
      setIsBusy(false);
    }
  }, []);
  const begin = useCallback(async (): Promise<Failure | undefined> => {
    const result = await ask("outside-begin", { code });
    if (result.kind === "refused") return { step: "begin", code: result.code };
    setBegun(result.value);
    return undefined;
  }, [ask, code]);
  useEffect(() => void run(begin), [run, begin]);
  const read = async (from: Opened, { packageHash }: Begun): Promise<Failure | undefined> => {
    const result = await readPackageOutside(ask, from);
    if (result.kind === "failed") return { step: "read", code: result.code };
    setSeen(result.seen);
    head.current?.focus();
    return toHex(result.seen.digest) === packageHash ? undefined : { step: "compare" };
  };
  const open = async (of: Begun): Promise<Failure | undefined> => {
    const made = await makePasskey(of.options);
    if (made === undefined) return { step: "open", code: "given_up" };
    const enrolled = await ask("outside-enrol", { code, response: made });
    if (enrolled.kind === "refused") return { step: "open", code: enrolled.code };
    setOpened(enrolled.value);
    return await read(enrolled.value, of);
  };
  const approve = async ({ key, options }: Opened, { digest }: PackageSeen): Promise<Failure | undefined> => {
    if (!isChallenge(options, digest)) return { step: "compare" };
    const response = await askPasskey(options);
    if (response === undefined) return { step: "approve", code: "given_up" };
    const approved = await ask("outside-approve", { key, response });
    if (approved.kind === "refused") return { step: "approve", code: approved.code };
    setIsDone(true);
    return undefined;
  };
  const isSame = begun !== undefined && seen?.isWhole === true && toHex(seen.digest) === begun.packageHash;
  const again = (): (() => void) | undefined => {
    if (failure?.step === "begin" && failure.code !== "code_refused") return () => void run(begin);
    if (failure?.step !== "read" || begun === undefined || opened === undefined) return undefined;
    return () => void run(() => read(opened, begun));
  };
  return (
    <main className="page office">
      <header className="page-header office-header">
        <Mark size={28} />
        <span className="office-host">{begun === undefined ? t("appName") : t("office.of", { host: begun.host })}</span>
      </header>
      <div className="page-body office-body">
        <h1 ref={head} tabIndex={-1}>
          {t("legal.outside.heading")}
        </h1>
        {begun !== undefined && !isDone && (
          <>
            <p>{t("legal.outside.lead", { name: begun.name, host: begun.host })}</p>
            <p lang="en" dir="ltr">
              {begun.summary}
            </p>
          </>
        )}
        {isBusy && (begun === undefined || (opened !== undefined && seen === undefined)) && (
          <p className="desk-late" role="status">
            {t("common.loading")}…
          </p>
        )}
        {failure !== undefined && <NotDone text={textOf(failure)} readAgain={again()} />}
        {begun !== undefined && opened === undefined && (
          <>
            <p className="section-hint">{t("legal.outside.openHint")}</p>
            <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void run(() => open(begun))}>
              <Icon name="lock" size={18} />
              {isBusy ? `${t("office.waiting")}…` : t("legal.outside.open")}
            </button>
          </>
        )}
        {begun !== undefined && opened !== undefined && seen !== undefined && !isDone && (
          <>
            <section className="desk-card request-part">
              <h2>{t("legal.part.release")}</h2>
              <PackageView seen={seen} claimed={begun.packageHash} />
            </section>
            <p className="section-hint">{t("legal.outside.hint")}</p>
            <button
              type="button"
              className="button button-primary"
              disabled={isBusy || !isSame}
              onClick={() => void run(() => approve(opened, seen))}
            >
              <Icon name="lock" size={18} />
              {isBusy ? `${t("office.waiting")}…` : t("legal.outside.approve")}
            </button>
          </>
        )}
        {isDone && (
          <div className="notice notice-good" role="status">
            <strong>{t("legal.outside.done")}</strong>
            <p>{t("legal.outside.doneHint")}</p>
          </div>
        )}
      </div>
    </main>
  );
}

function textOf(failure: Failure): string {
  switch (failure.step) {
    case "compare":
      return t("legal.otherPackage");
    case "read": {
      const { code } = failure;
      return notReadText(code, code === "no_package" ? undefined : outsideText(code, true));
    }
    case "begin":
    case "open":
    case "approve":
      return outsideText(failure.code, failure.step === "approve");
  }
}
