import { useId } from "react";
import type { ReactElement, ReactNode } from "react";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";

/** The parts of a request's page. */
export type PartName =
  | "clocks"
  | "asked"
  | "tasks"
  | "verification"
  | "subjects"
  | "preservation"
  | "files"
  | "letters"
  | "release"
  | "notice"
  | "close"
  | "other"
  | "story";

/** A part of a request under its heading, which can be gone to. */
export function Part({ name, children }: { readonly name: PartName; readonly children: ReactNode }): ReactElement {
  const id = useId();
  return (
    <section className="desk-card request-part" aria-labelledby={id}>
      <h2 id={id} data-part={name} tabIndex={-1}>
        {t(`legal.part.${name}`)}
      </h2>
      {children}
    </section>
  );
}

/** Goes to a part: its heading has the focus then. */
export function goToPart(name: PartName): void {
  document.querySelector<HTMLElement>(`[data-part="${name}"]`)?.focus();
}

/** Why something cannot be done now, and by whom it can. */
export function WhyNot({ text }: { readonly text: string | undefined }): ReactElement | undefined {
  if (text === undefined) return undefined;
  return (
    <p className="request-why">
      <Icon name="info" size={16} />
      <span>{text}</span>
    </p>
  );
}
