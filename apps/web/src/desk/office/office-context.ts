import { createContext, useCallback, useContext, useRef, useState } from "react";
import type { DeskInput, DeskOperation, DeskOutput, DeskSession } from "@latchkey/client/desk";
import type { AskDesk, DeskRefusal } from "./desk-api.ts";

/** Who is signed in, and what they ask with. */
export interface Office {
  readonly ask: AskDesk;
  readonly session: DeskSession;
}

/** Given by the workplace to its pages. */
export const OfficeContext: React.Context<Office | undefined> = createContext<Office | undefined>(undefined);

/** @throws Error outside of the workplace */
export function useOffice(): Office {
  const office = useContext(OfficeContext);
  if (office === undefined) throw new Error("this part of the desk is for who is signed in");
  return office;
}

/** Operations one at a time: what is being done, and why the last one was not. */
export function useOperation(): {
  readonly isBusy: boolean;
  readonly refusal: DeskRefusal | undefined;
  /** The operation's answer; `undefined` where it was not done, or another is being done. */
  readonly run: <Name extends DeskOperation>(name: Name, input: DeskInput<Name>) => Promise<DeskOutput<Name> | undefined>;
} {
  const { ask } = useOffice();
  const [isBusy, setIsBusy] = useState(false);
  const [refusal, setRefusal] = useState<DeskRefusal>();
  const isRunning = useRef(false);
  const run = useCallback(
    async <Name extends DeskOperation>(name: Name, input: DeskInput<Name>): Promise<DeskOutput<Name> | undefined> => {
      if (isRunning.current) return undefined;
      isRunning.current = true;
      setIsBusy(true);
      setRefusal(undefined);
      const result = await ask(name, input);
      isRunning.current = false;
      setIsBusy(false);
      if (result.kind === "done") return result.value;
      setRefusal(result.code);
      return undefined;
    },
    [ask],
  );
  return { isBusy, refusal, run };
}
