import type { PublicCounts } from "@latchkey/client/counts";
import { isHarmless, periodText } from "@latchkey/client/counts";
import { ClientError } from "@latchkey/client";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { Icon, Mark } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { formatNumber } from "../state/format.ts";
import { HalfYear } from "./HalfYear.tsx";
import { foundLines, halfYearText } from "./counts-view.ts";
import type { ShownHalfYear } from "./counts-view.ts";

type Counts = PublicCounts & { host(): Promise<string> };

type Verdict = "none" | "busy" | "holds" | "differs" | "unproven" | "failed";

/** What this server counts in public: half-years, the newest first, and a button that holds all of it against the public record. */
export function CountsPage({ counts }: { readonly counts: Counts }): ReactElement {
  const [host, setHost] = useState<string>();
  const [shown, setShown] = useState<readonly ShownHalfYear[]>();
  const [hasFailed, setHasFailed] = useState(false);
  /** How often it was asked for again. */
  const [tries, setTries] = useState(0);
  const [verdict, setVerdict] = useState<Verdict>("none");
  const [hidden, setHidden] = useState(0);

  useEffect(() => {
    let isGone = false;
    read(counts).then(
      (found) => {
        if (isGone) return;
        setHost(found.host);
        setShown(found.shown);
      },
      () => {
        if (!isGone) setHasFailed(true);
      },
    );
    return () => {
      isGone = true;
    };
  }, [counts, tries]);

  const verify = async (all: readonly ShownHalfYear[], name: string): Promise<void> => {
    setVerdict("busy");
    try {
      const { halfYears, hidden } = await counts.verifyAll(name);
      const found = new Map(halfYears.map((one) => [periodText(one.report.period), one]));
      const verified = all.map((one) => ({ ...one, verified: found.get(one.period) }));
      setShown(verified);
      setHidden(hidden);
      setVerdict(hidden === 0 && verified.every((one) => doesHold(one)) ? "holds" : "differs");
    } catch (error) {
      setVerdict(error instanceof ClientError && error.code !== "offline" ? "unproven" : "failed");
    }
  };

  if (shown === undefined || host === undefined) {
    return (
      <main className="page page-centre" aria-busy={!hasFailed}>
        <Mark size={56} />
        <p role={hasFailed ? "alert" : undefined}>{hasFailed ? t("counts.failed") : `${t("counts.loading")}…`}</p>
        {hasFailed && (
          <button
            type="button"
            className="button button-primary"
            onClick={() => {
              setHasFailed(false);
              setTries(tries + 1);
            }}
          >
            {t("common.tryAgain")}
          </button>
        )}
      </main>
    );
  }
  return (
    <main className="page">
      <header className="page-header counts-header">
        <Mark size={28} />
        <h1>{host}</h1>
      </header>
      <div className="page-body counts">
        <section className="counts-intro">
          <h2>{t("counts.title")}</h2>
          <p>{t("counts.intro")}</p>
          {shown.length === 0 ? (
            <p>{t("counts.none")}</p>
          ) : (
            <Verification verdict={verdict} shown={shown} hidden={hidden} verify={() => void verify(shown, host)} />
          )}
        </section>
        {shown.map((one) => (
          <HalfYear key={one.period} shown={one} />
        ))}
        <section className="counts-card">
          <h2>{t("counts.cannot.heading")}</h2>
          <ul className="counts-list">
            <li>{t("counts.cannot.sealed")}</li>
            <li>{t("counts.cannot.never")}</li>
            <li>{t("counts.cannot.content")}</li>
            <li>{t("counts.cannot.page")}</li>
          </ul>
        </section>
      </div>
    </main>
  );
}

function Verification(props: {
  readonly verdict: Verdict;
  readonly shown: readonly ShownHalfYear[];
  readonly hidden: number;
  readonly verify: () => void;
}): ReactElement {
  const { verdict, shown, hidden, verify } = props;
  return (
    <div className={`counts-verdict counts-verdict-${verdict}`}>
      <div role="status" className="counts-said">
        <VerdictWords verdict={verdict} shown={shown} hidden={hidden} />
      </div>
      <button type="button" className="button button-primary" disabled={verdict === "busy"} onClick={verify}>
        {verdict === "busy" ? `${t("counts.verifying")}…` : t("counts.verify")}
      </button>
    </div>
  );
}

function VerdictWords(props: {
  readonly verdict: Verdict;
  readonly shown: readonly ShownHalfYear[];
  readonly hidden: number;
}): ReactElement {
  const { verdict, shown, hidden } = props;
  switch (verdict) {
    case "none":
    case "busy":
      return <p>{t("counts.notYet")}</p>;
    case "failed":
      return <p>{t("counts.failed")}</p>;
    case "unproven":
      return (
        <>
          <p className="counts-strong">{t("counts.differs")}</p>
          <p>{t("counts.notWithin")}</p>
        </>
      );
    case "holds":
    case "differs": {
      const ms = shown.reduce((sum, one) => sum + (one.verified?.tookMs ?? 0), 0);
      const record = shown[0]?.verified?.record;
      return (
        <>
          <p className="counts-strong">
            <Icon name={verdict === "holds" ? "shield" : "alert"} />
            {verdict === "holds" ? t("counts.holds") : t("counts.differs")}
          </p>
          <p className="section-hint">
            {t("counts.details", {
              ms: formatNumber(Math.max(1, Math.round(ms))),
              size: formatNumber(record?.size ?? 0),
              witnesses: formatNumber(record?.witnesses ?? 0),
            })}
          </p>
          <ul className="counts-list">
            {hidden > 0 && <li>{t("counts.found.hidden", { n: formatNumber(hidden) })}</li>}
            {shown.flatMap(({ period, verified }) =>
              foundLines(verified?.report.findings ?? []).map(({ text }) => (
                <li key={`${period} ${text}`}>{`${halfYearText(period)}: ${text}`}</li>
              )),
            )}
          </ul>
        </>
      );
    }
  }
}

function doesHold({ verified }: ShownHalfYear): boolean {
  return verified?.report.findings.every(isHarmless) === true;
}

async function read(counts: Counts): Promise<{ host: string; shown: readonly ShownHalfYear[] }> {
  const host = await counts.host();
  const claimed = await counts.claimed(host);
  const shown = claimed.map((one) => ({ period: periodText(one.period), claimed: one, verified: undefined }));
  return { host, shown: shown.toReversed() };
}
