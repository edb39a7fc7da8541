import type { ReactElement } from "react";
import { words } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";

/** Who types here now. Its room is there while nobody does, so that nothing moves. */
export function TypingLine({ id }: { readonly id: string }): ReactElement {
  const typers = useSelector((state) => state.typing.get(id));
  const text = typers === undefined || typers.count === 0 ? "" : words.messageParts.typing(typers.people.map(nameOf), typers.count);
  return (
    <p className="typing-line" role="status">
      {text}
    </p>
  );
}
