import type { ReactElement } from "react";

const paths = {
  alert: "M12 8v5m0 3.2v.1M10.3 4.3 2.9 17.2A2 2 0 0 0 4.6 20h14.8a2 2 0 0 0 1.7-2.8L13.7 4.3a2 2 0 0 0-3.4 0Z",
  attach: "m20 11.5-8 8a5 5 0 0 1-7-7l8.3-8.3a3.3 3.3 0 0 1 4.7 4.7l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.6-7.5",
  archive: "M4 5.5h16v4H4v-4Zm1.5 4V18A1.5 1.5 0 0 0 7 19.5h10a1.5 1.5 0 0 0 1.5-1.5V9.5M10 13h4",
  back: "M19 12H5m6-6-6 6 6 6",
  check: "m5 12.5 4.5 4.5L19 7.5",
  checks: "m2 12.5 4.5 4.5L16 7.5M11.5 16l1 1L22 7.5",
  clock: "M12 7.5V12l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M12 20h8M4 20l.9-3.8L16.4 4.7a2.1 2.1 0 0 1 3 3L8 19.1 4 20Z",
  copy: "M9 9V5.5A1.5 1.5 0 0 1 10.5 4h8A1.5 1.5 0 0 1 20 5.5v8a1.5 1.5 0 0 1-1.5 1.5H15M5.5 9h8A1.5 1.5 0 0 1 15 10.5v8a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 18.5v-8A1.5 1.5 0 0 1 5.5 9Z",
  down: "m6 9.5 6 6 6-6",
  failed: "M12 7.5v5.5m0 3.2v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  forward: "m9 6 6 6-6 6",
  info: "M12 11v5.5m0-8.7v-.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  leave: "M14 4h4.5A1.5 1.5 0 0 1 20 5.5v13a1.5 1.5 0 0 1-1.5 1.5H14M10 8l-4 4 4 4m-4-4h9",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  lock: "M7.5 11V8a4.5 4.5 0 0 1 9 0v3M6.5 11h11A1.5 1.5 0 0 1 19 12.5v6a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 18.5v-6A1.5 1.5 0 0 1 6.5 11Z",
  mute: "M9 18a3 3 0 0 0 6 0M6 15.5h12l-1.5-2.2V10a4.5 4.5 0 0 0-9 0v3.3L6 15.5ZM4 4l16 16",
  pin: "M9 4h6l-.8 6 3.3 3.5h-11L9.8 10 9 4Zm3 9.5V20",
  star: "m12 4 2.4 5 5.6.8-4 3.9 1 5.5-5-2.6-5 2.6 1-5.5-4-3.9 5.6-.8L12 4Z",
  up: "m6 14.5 6-6 6 6",
  unread: "M5 5.5h14v10h-8l-4 3.5v-3.5H5v-10Zm4 5h6",
  people:
    "M15.5 20v-1.5a4 4 0 0 0-4-4h-4a4 4 0 0 0-4 4V20M9.5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm11 9v-1.5a4 4 0 0 0-3-3.9m-2.5-10.5a3.5 3.5 0 0 1 0 6.8",
  addPerson: "M14.5 20v-1.5a4 4 0 0 0-4-4h-4a4 4 0 0 0-4 4V20M8.5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM19 8v6m3-3h-6",
  search: "m20 20-4.5-4.5m2-5a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z",
  send: "M12 19V5m-6 6 6-6 6 6",
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-7 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  shield: "M12 20.5c4.7-1.7 7-4.7 7-9V6.2L12 3.5 5 6.2v5.3c0 4.3 2.3 7.3 7 9ZM9 12l2.2 2.2L15.2 10",
  bell: "M9 18a3 3 0 0 0 6 0M6 15.5h12l-1.5-2.2V10a4.5 4.5 0 0 0-9 0v3.3L6 15.5Z",
  contrast: "M12 3a9 9 0 0 0 0 18m0-18a9 9 0 0 1 0 18m0-18v18m3-16v14m3-11v8",
  camera:
    "M4 8.5A1.5 1.5 0 0 1 5.5 7H8l1.5-2.5h5L16 7h2.5A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5v-9ZM12 16.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8Z",
  laptop: "M5 15.5V6.5A1.5 1.5 0 0 1 6.5 5h11A1.5 1.5 0 0 1 19 6.5v9M2.5 18.5h19",
  phone: "M8.5 3h7A1.5 1.5 0 0 1 17 4.5v15a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 19.5v-15A1.5 1.5 0 0 1 8.5 3ZM11 18h2",
  add: "M12 5v14M5 12h14",
  bin: "M5 7h14M10 7V4.5h4V7M6.5 7l.8 11.6A1.5 1.5 0 0 0 8.8 20h6.4a1.5 1.5 0 0 0 1.5-1.4L17.5 7M10 11v5.5m4-5.5v5.5",
  checkCircle: "m8.5 12.3 2.4 2.4 4.6-5M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  forwardTo: "m14 6 6 6-6 6m6-6H10a6 6 0 0 0-6 6",
  more: "M12 5.5v.1M12 12v.1m0 6.4v.1",
  reply: "m10 6-6 6 6 6m-6-6h10a6 6 0 0 1 6 6",
  smile: "M8.5 14a4 4 0 0 0 7 0M9 9.5v.1m6-.1v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  print:
    "M7 9V4h10v5M7 17H5.5A1.5 1.5 0 0 1 4 15.5v-5A1.5 1.5 0 0 1 5.5 9h13a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H17M7 14h10v6H7v-6Z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Zm9.5 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  file: "M6 3.5h8l4.5 4.5v11A1.5 1.5 0 0 1 17 20.5H7A1.5 1.5 0 0 1 5.5 19V4.5M13.5 3.5V8H18",
  pause: "M7 5.5h3.2v13H7Zm6.8 0H17v13h-3.2Z",
  play: "M8 5.2v13.6L19 12Z",
  download: "M12 4v11m-5-4.5 5 5 5-5M5 20h14",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** An icon that says nothing by itself: the control around it has the name. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): ReactElement {
  return (
    <svg className={`icon icon-${name}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark: a latchkey in one stroke. */
export function Mark({ size = 32 }: { readonly size?: number }): ReactElement {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M13.75 18.25A5.3 5.3 0 1 0 6.25 25.75 5.3 5.3 0 0 0 13.75 18.25L18.75 13.25 22.25 16.75 26.25 12.75 22.75 9.25 27.35 4.65" />
    </svg>
  );
}
