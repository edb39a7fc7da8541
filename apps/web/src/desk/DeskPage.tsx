import { useCallback, useEffect, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { Icon, Mark } from "../components/Icon.tsx";
import { rowOf, t } from "../messages/words.ts";
import { formatTime } from "../state/format.ts";
import type { DeskAnswer, DeskClosed, DeskSession } from "./desk-session.ts";
import { viewAccounts, viewDecisions, viewFindings, viewStatus } from "./desk-view.ts";
import type { DeskFinding, DeskRow } from "./desk-view.ts";

const accountsAtOnce = 200;

/** What was read together. */
interface Shown {
  readonly status: ReturnType<typeof viewStatus>;
  readonly accounts: ReturnType<typeof viewAccounts>;
  readonly decisions: ReturnType<typeof viewDecisions>;
  readonly readAtMs: number;
}

/** The operator's page, over what `opening` comes to: what the server says about itself, and nothing to press that changes it. */
export function DeskPage({
  session,
  opening,
  toOffice,
}: {
  readonly session: DeskSession;
  readonly opening: Promise<DeskAnswer>;
  readonly toOffice: () => void;
}): ReactElement {
  const [closed, setClosed] = useState<DeskClosed>();
  const [failure, setFailure] = useState<"failed" | "busy">();
  const [shown, setShown] = useState<Shown>();
  const [findings, setFindings] = useState<readonly DeskFinding[]>();

  const read = useCallback(async () => {
    setFailure(undefined);
    setFindings(undefined);
    /** The value of an answer; `undefined` where there is none, which is shown. */
    const valueOf = (answer: DeskAnswer): unknown => {
      if (answer.kind === "closed") setClosed(answer.why);
      else if (answer.kind !== "answer") setFailure(answer.kind);
      return answer.kind === "answer" ? answer.value : undefined;
    };
    if ((await opening).kind !== "answer") {
      valueOf(await opening);
      return;
    }
    const ask = async (command: string, params?: object): Promise<unknown> => valueOf(await session.read(command, params));
    const examined = ask("doctor");
    const asked = ["status", "accounts", "invite-list", "reserved", "suspended", "quota", "announce"].map((command) =>
      ask(command, command === "accounts" ? { limit: accountsAtOnce } : {}),
    );
    const values = await Promise.all(asked);
    if (values.every((value) => value !== undefined)) {
      const [status, accounts, invitations, reserved, suspended, quota, announce] = values;
      setShown({
        status: viewStatus(status),
        accounts: viewAccounts(accounts),
        decisions: viewDecisions({ "invite-list": invitations, reserved, suspended, quota, announce }),
        readAtMs: Date.now(),
      });
    }
    const found = await examined;
    if (found !== undefined) setFindings(viewFindings(found));
  }, [opening, session]);
  useEffect(() => void read(), [read]);

  const more = async (before: Shown): Promise<void> => {
    const answer = await session.read("accounts", { after: before.accounts.rows.at(-1)?.[0] ?? "", limit: accountsAtOnce });
    if (answer.kind === "closed") setClosed(answer.why);
    if (answer.kind !== "answer") return;
    const next = viewAccounts(answer.value);
    setShown({ ...before, accounts: { ...next, rows: [...before.accounts.rows, ...next.rows] } });
  };

  if (closed !== undefined) return <Closed why={closed} />;
  if (shown === undefined) {
    return (
      <main className="page page-centre" aria-busy={failure === undefined}>
        <Mark size={56} />
        {failure === undefined ? (
          <p className="desk-late">{t("desk.loading")}…</p>
        ) : (
          <Failure kind={failure} tryAgain={() => void read()} />
        )}
      </main>
    );
  }
  return (
    <main className="page">
      <header className="page-header desk-header">
        <Mark size={28} />
        <h1>{shown.status.host === "" ? t("desk.heading") : shown.status.host}</h1>
        <button type="button" className="button" onClick={toOffice}>
          {t("desk.toOffice")}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            setClosed("closed");
            void session.close();
          }}
        >
          {t("desk.close")}
        </button>
      </header>
      <div className="page-body desk">
        <div className="desk-intro">
          <p>{t("desk.readOnly")}</p>
          <p className="desk-read">
            <span className="section-hint tabular">{t("desk.readAt", { time: formatTime(shown.readAtMs) })}</span>
            <button type="button" className="button" onClick={() => void read()}>
              {t("desk.readAgain")}
            </button>
          </p>
        </div>
        {failure !== undefined && <Failure kind={failure} tryAgain={() => void read()} />}
        <Overview shown={shown} findings={findings} more={() => void more(shown)} />
      </div>
    </main>
  );
}

/** Why there is nothing to be seen. */
export function Closed({ why }: { readonly why: DeskClosed }): ReactElement {
  return (
    <main className="page page-centre">
      <Mark size={56} />
      <h1>{t(`desk.closed.${why}.title`)}</h1>
      <p className="desk-advice" role={why === "used" ? "alert" : undefined}>
        {t(`desk.closed.${why}.advice`)}
      </p>
      <code className="desk-command">{t("desk.closed.command")}</code>
    </main>
  );
}

function Failure({ kind, tryAgain }: { readonly kind: "failed" | "busy"; readonly tryAgain: () => void }): ReactElement {
  return (
    <div className="notice notice-danger" role="alert">
      <strong>{kind === "busy" ? t("desk.busy") : t("desk.failed.title")}</strong>
      {kind === "failed" && <p>{t("desk.failed.advice")}</p>}
      <button type="button" className="button" onClick={tryAgain}>
        {t("common.tryAgain")}
      </button>
    </div>
  );
}

function Overview(props: {
  readonly shown: Shown;
  readonly findings: readonly DeskFinding[] | undefined;
  readonly more: () => void;
}): ReactElement {
  const { status, accounts, decisions } = props.shown;
  const isWell = status.reasons.length === 0;
  return (
    <>
      <div className={`notice ${isWell ? "notice-good" : "notice-danger"}`} role={isWell ? undefined : "alert"}>
        <strong>{isWell ? t("desk.health.good") : t("desk.health.bad")}</strong>
        {status.reasons.map((reason) => (
          <p key={reason}>{reason}</p>
        ))}
      </div>
      <div className="desk-columns">
        <div className="desk-stack">
          <Card heading={t("desk.sections.doctor")}>
            <Findings findings={props.findings} />
          </Card>
          <Card heading={t("desk.sections.announcement")}>
            <p className="desk-names">{decisions.announcement === "" ? t("desk.empty.announcement") : decisions.announcement}</p>
          </Card>
          <Card heading={t("desk.sections.invitations")}>
            <Rows rows={decisions.invitations} empty={t("desk.empty.invitations")} isLong />
          </Card>
          <Card heading={t("desk.sections.suspended")}>
            <Rows rows={decisions.suspended} empty={t("desk.empty.suspended")} isLong />
          </Card>
          <Card heading={t("desk.sections.reserved")}>
            <p className="desk-names">{decisions.reserved.length === 0 ? t("desk.empty.reserved") : rowOf(decisions.reserved)}</p>
          </Card>
          <Card heading={t("desk.sections.bounds")}>
            <Rows rows={decisions.quotas} />
          </Card>
        </div>
        <div className="desk-stack">
          <Card heading={t("desk.sections.numbers")}>
            <Rows rows={status.rows} />
          </Card>
          <Card heading={t("desk.sections.accounts")} hint={t("desk.accounts", { n: accounts.count })}>
            <Rows rows={accounts.rows} empty={t("desk.empty.accounts")} isLong />
            {accounts.hasMore && (
              <button type="button" className="button" onClick={props.more}>
                {t("desk.more")}
              </button>
            )}
          </Card>
        </div>
      </div>
    </>
  );
}

function Card({
  heading,
  hint,
  children,
}: {
  readonly heading: string;
  readonly hint?: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="desk-card">
      <h2>
        {heading}
        {hint !== undefined && <span className="section-hint">{hint}</span>}
      </h2>
      {children}
    </section>
  );
}

function Rows({
  rows,
  empty,
  isLong = false,
}: {
  readonly rows: readonly DeskRow[];
  readonly empty?: string;
  readonly isLong?: boolean;
}): ReactElement {
  if (rows.length === 0) return <p className="section-hint">{empty ?? t("desk.none")}</p>;
  return (
    // A long list scrolls by itself: reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <dl className={isLong ? "desk-rows desk-rows-long" : "desk-rows"} tabIndex={isLong ? 0 : undefined}>
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Findings({ findings }: { readonly findings: readonly DeskFinding[] | undefined }): ReactElement {
  if (findings === undefined) return <p className="section-hint desk-late">{t("desk.examining")}…</p>;
  const good = findings.filter(({ state }) => state === "ok");
  return (
    <>
      <Listed findings={findings.filter(({ state }) => state !== "ok")} />
      <details className="desk-good">
        <summary>{t("desk.inOrder", { n: good.length })}</summary>
        <Listed findings={good} />
      </details>
    </>
  );
}

const icons = { ok: "check", note: "info", todo: "alert" } as const;

function Listed({ findings }: { readonly findings: readonly DeskFinding[] }): ReactElement {
  return (
    <ul className="desk-findings">
      {findings.map(({ topic, state, message }) => (
        <li key={`${topic} ${message}`} className={`desk-finding-${state}`}>
          <Icon name={icons[state]} size={18} />
          <span>
            <span className="visually-hidden">{t(`desk.states.${state}`)}: </span>
            {message}
          </span>
        </li>
      ))}
    </ul>
  );
}
