import type { ReactElement } from "react";
import { useSelector } from "../state/context.ts";
import { typingText } from "../state/typing-text.ts";

/** Who types here now. Its room is there while nobody does, so that nothing moves. */
export function TypingLine({ id }: { readonly id: string }): ReactElement {
  const typers = useSelector((state) => state.typing.get(id));
  const text = typers === undefined || typers.count === 0 ? "" : typingText(typers);
  return (
    <p className="typing-line" role="status">
      {text}
    </p>
  );
}
