import { useState } from "react";
import type { ReactElement } from "react";
import { avatarColour, initials } from "../state/format.ts";
import { usePicture } from "../state/use-picture.ts";
import { Icon } from "./Icon.tsx";

/** The picture of a person or a group, else initials on a colour made from the id. Says nothing by itself: the name stands beside it. */
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
  const address = usePicture(id);
  const [broken, setBroken] = useState<string>();
  if (address !== undefined && address !== broken)
    return (
      <img src={address} alt="" className={`avatar avatar-${size}`} decoding="async" draggable={false} onError={() => setBroken(address)} />
    );
  return (
    <span className={`avatar avatar-${size} avatar-colour-${avatarColour(id)}`} aria-hidden="true">
      {isGroup ? <Icon name="people" size={size === "large" ? 34 : 20} /> : initials(name)}
    </span>
  );
}
