import { Component } from "react";
import type { ReactElement, ReactNode } from "react";
import { words } from "../messages/words.ts";

interface BoundaryProps {
  /** `line`: one of many; `item`: one of a list's; `part`: a pane; `page`: all there is. */
  readonly kind: "line" | "item" | "part" | "page";
  /** Another place than before is tried anew. */
  readonly place?: string;
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
    if (this.props.kind === "item") return <li className="row-broken">{words.broken.line}</li>;
    if (this.props.kind === "line") return <p className="row-broken">{words.broken.line}</p>;
    return <BrokenPart isPage={this.props.kind === "page"} tryAgain={() => this.setState({ hasFailed: false })} />;
  }
}

function BrokenPart({ isPage, tryAgain }: { readonly isPage: boolean; readonly tryAgain: () => void }): ReactElement {
  const notice = (
    <div className="notice notice-danger" role="alert">
      <p>{isPage ? words.broken.page : words.broken.part}</p>
      <p className="dialog-actions">
        <button type="button" className="button" onClick={tryAgain}>
          {words.common.tryAgain}
        </button>
        <button type="button" className="button" onClick={() => globalThis.location.reload()}>
          {words.reload}
        </button>
      </p>
    </div>
  );
  return isPage ? <main className="page-centre">{notice}</main> : <div className="part-broken">{notice}</div>;
}
