import "./office.css";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { ReactElement } from "react";
import type { DeskSession } from "@latchkey/client/desk";
import { Mark } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { createAskDesk } from "./desk-api.ts";
import type { AskDesk } from "./desk-api.ts";
import { Refusal } from "./Refusal.tsx";
import { SignInPage } from "./SignInPage.tsx";
import { Workplace } from "./Workplace.tsx";

type Stage =
  | { readonly kind: "asking" }
  | { readonly kind: "no-answer" }
  | { readonly kind: "out"; readonly hasEnded: boolean }
  | { readonly kind: "in"; readonly session: DeskSession };

/** The desk of those who work on reports: signing in, and their pages. `closed` is shown where there is none. */
export function OfficeApp(props: {
  /** A one-time code that the address had. */
  readonly code: string | undefined;
  readonly closed: () => void;
  /** Goes to the operator's page, where this tab has it open. */
  readonly toServer: (() => void) | undefined;
}): ReactElement {
  const { closed, toServer } = props;
  const [code, setCode] = useState(props.code);
  const [stage, setStage] = useState<Stage>({ kind: "asking" });
  const plain = useMemo(() => createAskDesk((...request) => globalThis.fetch(...request)), []);
  /** Whoever is not signed in any more is told so, whatever they did last. */
  const ask = useMemo<AskDesk>(
    () => async (name, input) => {
      const result = await plain(name, input);
      if (result.kind === "refused" && result.code === "not_signed_in") setStage({ kind: "out", hasEnded: true });
      return result;
    },
    [plain],
  );
  const enter = (session: DeskSession): void => {
    // It is used up.
    setCode(undefined);
    setStage({ kind: "in", session });
  };
  const begin = useCallback(async () => {
    setStage({ kind: "asking" });
    const result = await plain("session", {});
    if (result.kind === "done") setStage({ kind: "in", session: result.value });
    else if (result.code === "not_signed_in") setStage({ kind: "out", hasEnded: false });
    else if (result.code === "not_found") closed();
    else setStage({ kind: "no-answer" });
  }, [plain, closed]);
  useEffect(() => void begin(), [begin]);

  switch (stage.kind) {
    case "asking":
      return (
        <main className="page page-centre" aria-busy>
          <Mark size={56} />
          <p className="desk-late">{t("desk.loading")}…</p>
        </main>
      );
    case "no-answer":
      return (
        <main className="page page-centre">
          <Mark size={56} />
          <Refusal code="no_answer" tryAgain={() => void begin()} />
        </main>
      );
    case "out":
      return <SignInPage ask={plain} code={code} hasEnded={stage.hasEnded} enter={enter} />;
    case "in":
      return <Workplace session={stage.session} ask={ask} leave={() => setStage({ kind: "out", hasEnded: false })} toServer={toServer} />;
  }
}
