import { useCallback, useState } from "react";
import type { ReactElement } from "react";
import { lazyComponent } from "../components/lazy.tsx";
import { Closed, DeskPage } from "./DeskPage.tsx";
import type { DeskAnswer, DeskSession } from "./desk-session.ts";

const OfficeApp = lazyComponent(async () => (await import("./office/OfficeApp.tsx")).OfficeApp, "office");

/** Which of the desk's two sides is shown: the operator's, by a link from the machine, or that of those who work on reports. */
export function DeskRoot(props: {
  readonly session: DeskSession;
  readonly opening: Promise<DeskAnswer>;
  readonly isOperator: boolean;
  readonly code: string | undefined;
}): ReactElement {
  const { session, opening, code } = props;
  const [side, setSide] = useState<"operator" | "office" | "closed">(props.isOperator ? "operator" : "office");
  const closed = useCallback(() => setSide("closed"), []);
  if (side === "operator") return <DeskPage session={session} opening={opening} toOffice={() => setSide("office")} />;
  if (side === "closed") return <Closed why="closed" />;
  return <OfficeApp code={code} closed={closed} toServer={props.isOperator && session.hasDoor ? () => setSide("operator") : undefined} />;
}
