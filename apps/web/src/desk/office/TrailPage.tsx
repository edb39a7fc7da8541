import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { TrailEntry } from "@latchkey/client/desk";
import { named, t } from "../../messages/words.ts";
import { formatFull, isoTime } from "../../state/format.ts";
import { sha256 } from "../sha256.ts";
import { patient } from "./desk-api.ts";
import type { DeskRefusal } from "./desk-api.ts";
import { Heading } from "./Heading.tsx";
import { useOffice } from "./office-context.ts";
import { checkTrail, readTrail } from "./trail-check.ts";
import type { TrailFinding, TrailMark } from "./trail-check.ts";
import { Refusal } from "./Refusal.tsx";

const shownAtOnce = 100;
const markName = "latchkey.desk.trail";

/** Everything that was done at the desk; gone over in this browser each time that it is read. */
export function TrailPage(): ReactElement {
  const { ask } = useOffice();
  const [entries, setEntries] = useState<readonly TrailEntry[]>();
  const [finding, setFinding] = useState<TrailFinding>();
  const [refusal, setRefusal] = useState<DeskRefusal>();
  const [count, setCount] = useState(0);
  const [shown, setShown] = useState(shownAtOnce);
  const [round, setRound] = useState(0);
  const readAgain = (): void => setRound(round + 1);
  useEffect(() => {
    /** A reading in whose place another came, or that nobody waits for any more, shows nothing and notes nothing. */
    let isGone = false;
    const read = async (): Promise<void> => {
      setFinding(undefined);
      setRefusal(undefined);
      setCount(0);
      const found = await readTrail(
        patient(ask, (ms) => new Promise((resolve) => setTimeout(resolve, ms))),
        (entriesSoFar) => {
          if (!isGone) setCount(entriesSoFar);
        },
      );
      if (isGone) return;
      if (typeof found === "string") {
        setRefusal(found);
        return;
      }
      const checked = await checkTrail(found, loadMark(), sha256);
      if (isGone) return;
      setEntries(found.toReversed());
      setFinding(checked);
      const last = found.at(-1);
      // One that does not hold is not what the next time is compared with.
      if (checked.kind === "whole" && last !== undefined) saveMark({ number: last.number, hash: last.hash });
    };
    void read();
    return () => {
      isGone = true;
    };
  }, [ask, round]);
  const newest = entries?.[0];
  return (
    <>
      <Heading text={t("office.page.trail")} />
      <p className="section-hint">{t("office.trail.lead")}</p>
      <Refusal code={refusal} tryAgain={readAgain} />
      {finding === undefined && refusal === undefined && (
        <p className="desk-late" role="status">
          {t("office.trail.reading", { n: count })}
        </p>
      )}
      {finding !== undefined && entries !== undefined && <Finding finding={finding} count={entries.length} />}
      {newest !== undefined && (
        <p className="office-head">
          {t("office.trail.head")} <code>{newest.hash}</code>
        </p>
      )}
      {entries !== undefined && (
        <>
          <ol className="office-trail" reversed>
            {entries.slice(0, shown).map((entry) => (
              <li key={entry.number}>
                <span className="office-trail-act">
                  <span className="tabular">{entry.number}</span> <bdi>{entry.actor}</bdi>: {named("office.act", entry.act)}
                  {entry.caseNumber !== undefined && ` (${t("office.trail.case", { n: entry.caseNumber })})`}
                </span>
                <time className="section-hint" dateTime={isoTime(entry.atMs)}>
                  {formatFull(entry.atMs)}
                </time>
                {entry.details !== "{}" && <code dir="ltr">{entry.details}</code>}
              </li>
            ))}
          </ol>
          <div className="office-acts">
            {entries.length > shown && (
              <button type="button" className="button" onClick={() => setShown(shown + shownAtOnce)}>
                {t("desk.more")}
              </button>
            )}
            <button type="button" className="button" onClick={readAgain}>
              {t("desk.readAgain")}
            </button>
          </div>
        </>
      )}
    </>
  );
}

function Finding({ finding, count }: { readonly finding: TrailFinding; readonly count: number }): ReactElement {
  if (finding.kind === "whole") {
    return (
      <div className="notice notice-good" role="status">
        <strong>{t("office.trail.whole", { n: count })}</strong>
        <p>{finding.isFirst ? t("office.trail.first") : t("office.trail.same")}</p>
      </div>
    );
  }
  return (
    <div className="notice notice-danger" role="alert">
      <strong>{t(`office.trail.${finding.kind}`, { n: finding.at })}</strong>
      <p>{t(`office.trail.${finding.kind}Advice`)}</p>
    </div>
  );
}

function loadMark(): TrailMark | undefined {
  try {
    const { number, hash } = JSON.parse(globalThis.localStorage.getItem(markName) ?? "{}") as Partial<TrailMark>;
    return typeof number === "number" && typeof hash === "string" ? { number, hash } : undefined;
  } catch {
    return undefined;
  }
}

function saveMark(mark: TrailMark): void {
  try {
    globalThis.localStorage.setItem(markName, JSON.stringify(mark));
  } catch {
    // A browser that keeps nothing: then each reading is the first.
  }
}
