import type { ReactElement } from "react";

const paths = {
  microphone: "M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3Zm6.5-3a6.5 6.5 0 0 1-13 0m6.5 6.5v3",
  pause: "M8.5 5.5v13m7-13v13",
  play: "M8 5.5v13l10.5-6.5L8 5.5Z",
  stop: "M7 7h10v10H7V7Z",
} as const;

/** An icon of what records and plays, which says nothing by itself. */
export function AttachIcon({ name, size = 22 }: { readonly name: keyof typeof paths; readonly size?: number }): ReactElement {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
