import { Component } from "react";
import type { ReactNode } from "react";
import { t } from "../messages/words.ts";
import { FailedPart } from "./FailedPart.tsx";

interface BoundaryProps {
  /** `line`: one of many; `item`: one of a list's; `part`: a pane; `page`: all there is. */
  readonly kind: "line" | "item" | "part" | "page";
  /** Another place than before is tried anew. */
  readonly place?: string;
  /** Goes to another place: what cannot be shown there keeps nobody from the rest. */
  readonly leave?: (() => void) | undefined;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly hasFailed: boolean;
  readonly place: string | undefined;
}

/** What cannot be drawn says so in its place, and everything around it stays: a message of somebody else must not take the app away. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { hasFailed: false, place: this.props.place };

  static getDerivedStateFromError(): Partial<BoundaryState> {
    return { hasFailed: true };
  }

  static getDerivedStateFromProps(props: BoundaryProps, state: BoundaryState): Partial<BoundaryState> | undefined {
    return props.place === state.place ? undefined : { hasFailed: false, place: props.place };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    if (this.props.kind === "item") return <li className="row-broken">{t("broken.line")}</li>;
    if (this.props.kind === "line") return <p className="row-broken">{t("broken.line")}</p>;
    const isPage = this.props.kind === "page";
    const text = isPage ? t("broken.page") : t("broken.part");
    const { leave } = this.props;
    const tryAgain = (): void => this.setState({ hasFailed: false });
    const rest = (): void => {
      leave?.();
      tryAgain();
    };
    const failed = <FailedPart text={text} tryAgain={tryAgain} leave={leave === undefined ? undefined : rest} />;
    return isPage ? <main className="page-centre">{failed}</main> : <div className="part-broken">{failed}</div>;
  }
}
