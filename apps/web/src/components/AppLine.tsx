import type { ReactElement } from "react";
import { AskLine } from "../notices/AskLine.tsx";
import { useSelector } from "../state/context.ts";
import { UpdateLine } from "./UpdateLine.tsx";

/** The thin line of what the app itself has to say. */
export function AppLine(): ReactElement {
  const asks = useSelector(({ update }) => update === "notices");
  return asks ? <AskLine /> : <UpdateLine />;
}
