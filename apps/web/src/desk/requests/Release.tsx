import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import { deskRequestPackagesPath } from "@latchkey/client/desk";
import type { RequestRelease } from "@latchkey/client/desk";
import { CopyField } from "../../components/CopyLink.tsx";
import { ConfirmDialog, Modal } from "../../components/Dialog.tsx";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { formatBytes, formatFull } from "../../state/format.ts";
import { Field } from "../office/fields.tsx";
import { patient } from "../office/desk-api.ts";
import { useOffice, useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { approveRelease } from "./approve.ts";
import type { Approval } from "./approve.ts";
import { Assemble } from "./Assemble.tsx";
import { NotDone } from "./NotDone.tsx";
import { readPackageOfRequest } from "./package-reader.ts";
import type { PackageRead } from "./package-reader.ts";
import { PackageView } from "./PackageView.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { notReadText } from "./refusal-words.ts";
import { leftText } from "./request-words.ts";
import { useRequest, whyNot } from "./request-work.ts";
import type { OfferedAct } from "./request-work.ts";

/** What would go out or went: assembled, looked at, approved by two, released. */
export function Release(): ReactElement | undefined {
  const work = useRequest();
  const { found } = work;
  const { release } = found;
  if (release === undefined && found.refusal !== undefined) return undefined;
  if (release === undefined) {
    const why = whyNot("request-package", work);
    return (
      <Part name="release">
        <p className="section-hint">{t("legal.packageLead")}</p>
        <p className="section-hint">{t("legal.packageLetter")}</p>
        {why === undefined ? <Assemble /> : <WhyNot text={why} />}
      </Part>
    );
  }
  return (
    <Part name="release">
      <Assembled release={release} />
      <Approvals release={release} />
      {release.released === undefined ? <Next release={release} /> : <Released release={release} />}
    </Part>
  );
}

function Assembled({ release }: { readonly release: RequestRelease }): ReactElement {
  const { found } = useRequest();
  return (
    <>
      <p>
        {t("legal.assembled", {
          n: release.accounts,
          size: formatBytes(release.sizeBytes),
          time: formatFull(release.builtAtMs),
        })}
      </p>
      {release.copyOf !== undefined && <p>{t("legal.ofKept", { n: release.copyOf })}</p>}
      {release.released === undefined && found.may.includes("request-package") && (
        <>
          <Assemble />
          {release.approvals.length > 0 && <p className="section-hint">{t("legal.assembleAgainHint")}</p>}
        </>
      )}
    </>
  );
}

function Approvals({ release }: { readonly release: RequestRelease }): ReactElement {
  const { nowMs } = useRequest();
  const { approvals, rule, waitUntilMs, outside } = release;
  return (
    <>
      <h3>{t("legal.approvals")}</h3>
      {approvals.length === 0 && <p className="section-hint">{t("legal.noApprovals")}</p>}
      <ul className="request-approvals">
        {approvals.map(({ by, kind, atMs }) => (
          <li key={`${by} ${atMs}`} className="request-done">
            <Icon name="shield" size={16} />
            <span>
              {t(`legal.approvedBy.${kind}`, { name: by })} <span className="section-hint">{formatFull(atMs)}</span>
            </span>
          </li>
        ))}
      </ul>
      {outside !== undefined && !outside.isUsed && (
        <p>
          <Icon name="clock" size={16} /> {t("legal.outsideAsked", { name: outside.name, left: leftText(outside.untilMs, nowMs) })}
        </p>
      )}
      {waitUntilMs !== undefined && release.released === undefined && (
        <p className="request-wait">
          <Icon name="clock" size={16} />{" "}
          {nowMs < waitUntilMs
            ? t("legal.waits", { left: leftText(waitUntilMs, nowMs), time: formatFull(waitUntilMs) })
            : t("legal.waitOver")}
        </p>
      )}
      {rule !== undefined && <p className="section-hint">{t(`legal.rule.${rule}`)}</p>}
    </>
  );
}

/** Looking at it, approving, and releasing. */
function Next({ release }: { readonly release: RequestRelease }): ReactElement {
  const work = useRequest();
  const { ask } = useOffice();
  const { found, at, isBusy, act, show } = work;
  const { looking, look } = usePackage(found.number, release.packageHash);
  const seen = looking.kind === "seen" ? looking.seen : undefined;
  const [isWorking, setIsWorking] = useState(false);
  const [refusal, setRefusal] = useState<Extract<Approval, { readonly kind: "refused" }>["code"]>();
  const [isAsking, setIsAsking] = useState(false);
  const approve = async (digest: Uint8Array): Promise<void> => {
    setIsWorking(true);
    setRefusal(undefined);
    const outcome = await approveRelease(ask, at, digest);
    setIsWorking(false);
    if (outcome.kind === "done") show(outcome.request);
    else setRefusal(outcome.code);
  };
  const why = (name: OfferedAct): string | undefined => whyNot(name, work);
  const canSign = seen?.isWhole === true && release.mayApprove;
  return (
    <>
      {looking.kind === "failed" && <NotDone text={notReadText(looking.code)} readAgain={look} />}
      {(looking.kind === "idle" || looking.kind === "fetching") && (
        <button
          type="button"
          className={`button ${release.mayApprove ? "button-primary" : ""}`}
          disabled={looking.kind === "fetching"}
          onClick={look}
        >
          <Icon name="eye" size={18} />
          {t("legal.look")}
        </button>
      )}
      {seen !== undefined && <PackageView seen={seen} claimed={release.packageHash} />}
      {refusal === "other_package" ? (
        <p className="notice notice-danger" role="alert">
          {t("legal.otherPackage")}
        </p>
      ) : (
        <Refusal code={refusal} />
      )}
      {release.mayApprove ? (
        <>
          {seen === undefined && <p className="section-hint">{t("legal.lookFirst")}</p>}
          {seen !== undefined && (
            <button
              type="button"
              className="button button-primary"
              disabled={!canSign || isWorking || isBusy}
              onClick={() => void approve(seen.digest)}
            >
              <Icon name="lock" size={18} />
              {isWorking ? `${t("office.waiting")}…` : t("legal.approve")}
            </button>
          )}
        </>
      ) : (
        <WhyNot text={release.mayRelease ? undefined : why("request-approve-begin")} />
      )}
      {release.approvals.length > 0 && !release.mayRelease && <SecondApproval release={release} />}
      {release.mayRelease ? (
        <button type="button" className="button button-primary" disabled={isBusy} onClick={() => setIsAsking(true)}>
          <Icon name="send" size={18} />
          {t("legal.release")}
        </button>
      ) : (
        release.approvals.length > 0 && <WhyNot text={why("request-release")} />
      )}
      {isAsking && (
        <ConfirmDialog
          title={t("legal.releaseTitle", { n: found.number })}
          body={t("legal.releaseBody", { authority: found.authority })}
          confirmLabel={t("legal.release")}
          confirm={() => act("request-release", at)}
          close={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

/** Where nobody else works at the desk: somebody outside, or a day. */
function SecondApproval({ release }: { readonly release: RequestRelease }): ReactElement | undefined {
  const { found, at, isBusy, act, show } = useRequest();
  const { refusal, run } = useOperation();
  const [name, setName] = useState("");
  const [given, setGiven] = useState<{ readonly name: string; readonly code: string; readonly hours: number }>();
  const mayInvite = found.may.includes("request-outside-invite");
  const mayWait = found.may.includes("request-wait") && release.waitUntilMs === undefined;
  if (!mayInvite && !mayWait && given === undefined) return undefined;
  return (
    <div className="request-second">
      <h3>{t("legal.second")}</h3>
      <p className="section-hint">{t("legal.secondHint")}</p>
      {mayInvite && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run("request-outside-invite", { ...at, name: name.trim() }).then((answer) => {
              if (answer === undefined) return;
              setGiven({ name: name.trim(), code: answer.code, hours: answer.hours });
              setName("");
              show(answer.request);
            });
          }}
        >
          <Field label={t("legal.outsideName")} hint={t("legal.outsideHint")} value={name} most={60} change={setName} />
          <button type="submit" className="button" disabled={isBusy || name.trim() === ""}>
            {t("legal.outsideInvite")}
          </button>
        </form>
      )}
      {mayWait && (
        <button type="button" className="button" disabled={isBusy} onClick={() => void act("request-wait", at)}>
          {t("legal.waitDay")}
        </button>
      )}
      <Refusal code={refusal} />
      {given !== undefined && (
        <Modal title={t("legal.outsideTitle", { name: given.name })} close={() => setGiven(undefined)}>
          <p className="dialog-body">{t("legal.outsideBody", { hours: given.hours })}</p>
          <CopyField
            value={`${globalThis.location.origin}/desk#approve=${given.code}`}
            label={t("legal.outsideLink")}
            copyLabel={t("office.staff.copyLink")}
          />
          <div className="dialog-actions">
            <button type="button" className="button button-primary" onClick={() => setGiven(undefined)}>
              {t("office.staff.given")}
            </button>
          </div>
        </Modal>
      )}
    </div>
  );
}

function Released({ release }: { readonly release: RequestRelease }): ReactElement {
  const { found } = useRequest();
  const { released } = release;
  return (
    <>
      {released !== undefined && (
        <p className="notice notice-good">{t("legal.releasedBy", { name: released.by, time: formatFull(released.atMs) })}</p>
      )}
      <a className="button" href={`${deskRequestPackagesPath}/${found.number}`} download={`request-${found.number}.zip`}>
        <Icon name="download" size={18} />
        {t("legal.download")}
      </a>
      <p className="section-hint">{t("legal.verifyOffline")}</p>
      <p>
        <code dir="ltr">latchkey verify-release request-{found.number}.zip</code>
      </p>
    </>
  );
}

/** How far looking at the package is. */
type Looking = PackageRead | { readonly kind: "idle" | "fetching" };

/** The package as it is now, fetched when somebody wants to look at it and read in this browser. */
function usePackage(number: number, hash: string): { readonly looking: Looking; readonly look: () => void } {
  const { ask: askOnce } = useOffice();
  const ask = useMemo(() => patient(askOnce, (ms) => new Promise((resolve) => setTimeout(resolve, ms))), [askOnce]);
  const [looking, setLooking] = useState<Looking>({ kind: "idle" });
  const round = useRef(0);
  // Another package took its place: what was seen, or is still on its way, is not that one.
  useEffect(() => {
    round.current += 1;
    setLooking({ kind: "idle" });
  }, [number, hash]);
  const look = useCallback(() => {
    round.current += 1;
    const mine = round.current;
    setLooking({ kind: "fetching" });
    void readPackageOfRequest(ask, number).then((read) => {
      if (round.current === mine) setLooking(read);
    });
  }, [ask, number]);
  return { looking, look };
}
