import type { ReactElement } from "react";
import { avatarColour, initials } from "../state/format.ts";
import { Icon } from "./Icon.tsx";

/** Initials on a colour made from an id. Says nothing by itself: the name stands beside it. */
export function Avatar({
  id,
  name,
  size = "medium",
  isGroup = false,
}: {
  readonly id: string;
  readonly name: string;
  readonly size?: "small" | "medium" | "large";
  readonly isGroup?: boolean;
}): ReactElement {
  return (
    <span className={`avatar avatar-${size} avatar-colour-${avatarColour(id)}`} aria-hidden="true">
      {isGroup ? <Icon name="people" size={size === "large" ? 34 : 20} /> : initials(name)}
    </span>
  );
}
