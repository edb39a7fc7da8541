import "../office/office.css";
import "./requests.css";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { DeskOutput, PasskeyJson } from "@latchkey/client/desk";
import { Icon, Mark } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { createAskDesk, patient } from "../office/desk-api.ts";
import type { AskDesk } from "../office/desk-api.ts";
import { askPasskey, makePasskey } from "../office/passkey.ts";
import type { PasskeyRefusal } from "../office/passkey.ts";
import { Refusal } from "../office/Refusal.tsx";
import { isChallenge } from "./approve.ts";
import { hexOf } from "./bytes.ts";
import { filesOfOutside, readPackage } from "./package-reader.ts";
import type { PackageSeen } from "./package-reader.ts";
import { PackageView } from "./PackageView.tsx";

type Begun = DeskOutput<"outside-begin">;

/** What a passkey opened: for an hour, and for this release alone. */
interface Opened {
  readonly key: string;
  readonly options: PasskeyJson;
  readonly seen: PackageSeen;
}

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
  const [isBusy, setIsBusy] = useState(false);
  const [isDone, setIsDone] = useState(false);
  const [refusal, setRefusal] = useState<PasskeyRefusal | "other_package">();
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    let isGone = false;
    void ask("outside-begin", { code }).then((result) => {
      if (isGone) return;
      if (result.kind === "refused") setRefusal(result.code);
      else setBegun(result.value);
    });
    return () => {
      isGone = true;
    };
  }, [ask, code]);
  /** Does one thing at a time, and says why it was not done. */
  const run = async (act: () => Promise<PasskeyRefusal | "other_package" | undefined>): Promise<void> => {
    setIsBusy(true);
    setRefusal(undefined);
    setRefusal(await act());
    setIsBusy(false);
  };
  const open = async ({ options, packageHash }: Begun): Promise<PasskeyRefusal | "other_package" | undefined> => {
    const made = await makePasskey(options);
    if (made === undefined) return "given_up";
    const enrolled = await ask("outside-enrol", { code, response: made });
    if (enrolled.kind === "refused") return enrolled.code;
    const { key, manifest, options: toSign } = enrolled.value;
    const seen = await readPackage(new TextEncoder().encode(manifest), filesOfOutside(ask, key));
    setOpened({ key, options: toSign, seen });
    head.current?.focus();
    return hexOf(seen.digest) === packageHash ? undefined : "other_package";
  };
  const approve = async ({ key, options, seen }: Opened): Promise<PasskeyRefusal | "other_package" | undefined> => {
    if (!isChallenge(options, seen.digest)) return "other_package";
    const response = await askPasskey(options);
    if (response === undefined) return "given_up";
    const approved = await ask("outside-approve", { key, response });
    if (approved.kind === "refused") return approved.code;
    setIsDone(true);
    return undefined;
  };
  const isSame = opened !== undefined && begun !== undefined && opened.seen.isWhole && hexOf(opened.seen.digest) === begun.packageHash;
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
        {begun === undefined && refusal === undefined && <p className="desk-late">{t("common.loading")}…</p>}
        {begun !== undefined && !isDone && (
          <>
            <p>{t("legal.outside.lead", { name: begun.name, host: begun.host })}</p>
            <p lang="en" dir="ltr">
              {begun.summary}
            </p>
          </>
        )}
        {refusal === "other_package" ? (
          <p className="notice notice-danger" role="alert">
            {t("legal.otherPackage")}
          </p>
        ) : (
          <Refusal code={refusal} />
        )}
        {begun !== undefined && opened === undefined && (
          <>
            <p className="section-hint">{t("legal.outside.openHint")}</p>
            <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void run(() => open(begun))}>
              <Icon name="lock" size={18} />
              {isBusy ? `${t("office.waiting")}…` : t("legal.outside.open")}
            </button>
          </>
        )}
        {begun !== undefined && opened !== undefined && !isDone && (
          <>
            <section className="desk-card request-part">
              <h2>{t("legal.part.release")}</h2>
              <PackageView seen={opened.seen} claimed={begun.packageHash} />
            </section>
            <p className="section-hint">{t("legal.outside.hint")}</p>
            <button
              type="button"
              className="button button-primary"
              disabled={isBusy || !isSame}
              onClick={() => void run(() => approve(opened))}
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
