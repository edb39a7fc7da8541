/** What the app knows of a format. */
interface Known {
  /** Media types that are said of it, the first of them by us. */
  readonly mediaTypes: readonly string[];
  /** Endings of names, in lower case. */
  readonly endings: readonly string[];
  /** As what a browser may show it in the app; nothing where it is saved only. */
  readonly shownAs?: "picture" | "video" | "audio";
}

/** A format by its name here. */
export type Format =
  | "jpeg"
  | "png"
  | "apng"
  | "gif"
  | "webp"
  | "avif"
  | "heic"
  | "bmp"
  | "tiff"
  | "svg"
  | "html"
  | "xml"
  | "text"
  | "mp4"
  | "mov"
  | "m4a"
  | "webm"
  | "matroska"
  | "ogg"
  | "mp3"
  | "aac"
  | "wav"
  | "flac"
  | "pdf"
  | "zip"
  | "gzip"
  | "7z"
  | "rar"
  | "program"
  | "unknown";

/**
 * Formats that are told apart by their first bytes. SVG, HTML, XML and PDF run scripts or load from elsewhere: they are never shown inline, nor
 * is what few browsers decode.
 */
const formats: Readonly<Record<Format, Known>> = {
  jpeg: { mediaTypes: ["image/jpeg", "image/jpg", "image/pjpeg"], endings: ["jpg", "jpeg", "jpe", "jfif"], shownAs: "picture" },
  png: { mediaTypes: ["image/png", "image/x-png"], endings: ["png"], shownAs: "picture" },
  apng: { mediaTypes: ["image/apng", "image/png", "image/vnd.mozilla.apng"], endings: ["png", "apng"], shownAs: "picture" },
  gif: { mediaTypes: ["image/gif"], endings: ["gif"], shownAs: "picture" },
  webp: { mediaTypes: ["image/webp"], endings: ["webp"], shownAs: "picture" },
  avif: { mediaTypes: ["image/avif", "image/avif-sequence"], endings: ["avif", "avifs"], shownAs: "picture" },
  heic: {
    mediaTypes: ["image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"],
    endings: ["heic", "heif", "heics", "hif"],
  },
  bmp: { mediaTypes: ["image/bmp", "image/x-ms-bmp", "image/x-bmp"], endings: ["bmp", "dib"] },
  tiff: { mediaTypes: ["image/tiff"], endings: ["tif", "tiff"] },
  svg: { mediaTypes: ["image/svg+xml"], endings: ["svg"] },
  html: { mediaTypes: ["text/html", "application/xhtml+xml"], endings: ["html", "htm", "xhtml", "xht", "shtml"] },
  xml: { mediaTypes: ["application/xml", "text/xml"], endings: ["xml"] },
  text: { mediaTypes: ["text/plain"], endings: ["txt"] },
  mp4: {
    mediaTypes: ["video/mp4", "audio/mp4", "video/x-m4v", "video/3gpp", "video/3gpp2"],
    endings: ["mp4", "m4v", "m4a", "3gp"],
    shownAs: "video",
  },
  mov: { mediaTypes: ["video/quicktime"], endings: ["mov", "qt"], shownAs: "video" },
  m4a: { mediaTypes: ["audio/mp4", "audio/x-m4a", "audio/m4a"], endings: ["m4a", "m4b", "mp4"], shownAs: "audio" },
  webm: { mediaTypes: ["video/webm", "audio/webm"], endings: ["webm", "weba"], shownAs: "video" },
  matroska: { mediaTypes: ["video/x-matroska", "audio/x-matroska", "video/matroska"], endings: ["mkv", "mka"] },
  ogg: { mediaTypes: ["audio/ogg", "video/ogg", "application/ogg"], endings: ["ogg", "oga", "opus", "ogv"], shownAs: "audio" },
  mp3: { mediaTypes: ["audio/mpeg", "audio/mp3"], endings: ["mp3"], shownAs: "audio" },
  aac: { mediaTypes: ["audio/aac", "audio/aacp", "audio/x-aac"], endings: ["aac"], shownAs: "audio" },
  wav: { mediaTypes: ["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"], endings: ["wav"], shownAs: "audio" },
  flac: { mediaTypes: ["audio/flac", "audio/x-flac"], endings: ["flac"], shownAs: "audio" },
  pdf: { mediaTypes: ["application/pdf"], endings: ["pdf"] },
  zip: { mediaTypes: ["application/zip", "application/x-zip-compressed"], endings: ["zip"] },
  gzip: { mediaTypes: ["application/gzip", "application/x-gzip"], endings: ["gz", "tgz"] },
  "7z": { mediaTypes: ["application/x-7z-compressed"], endings: ["7z"] },
  rar: { mediaTypes: ["application/vnd.rar", "application/x-rar-compressed"], endings: ["rar"] },
  program: {
    mediaTypes: [
      "application/x-executable",
      "application/x-msdownload",
      "application/vnd.microsoft.portable-executable",
      "application/x-elf",
    ],
    endings: ["exe", "dll", "scr", "com", "sys"],
  },
  unknown: { mediaTypes: ["application/octet-stream"], endings: [] },
};

/** As what the format may be shown in the app; `undefined` for what is only saved. Asked of what {@link sniff} finds, never of what is claimed. */
export function shownAs(format: Format): "picture" | "video" | "audio" | undefined {
  return formats[format].shownAs;
}

/** What says something of a file without being the file. */
export interface Claims {
  /** "" for nothing. */
  readonly name: string;
  /** "" for nothing. */
  readonly mediaType: string;
}

const saysNothing = "application/octet-stream";
/** Bytes of these look like one another, or like any text; none is ever shown inline. */
const written: readonly Format[] = ["html", "svg", "xml", "text"];

/**
 * Whether the file may be what its name and its type say. What they say of formats that are not told apart here, such as of documents that are
 * ZIP archives inside, is believed.
 */
export function isAsClaimed(format: Format, claims: Claims): boolean {
  const ending = endingOf(claims.name);
  const mediaType = bareType(claims.mediaType);
  const byName = formatsWith(({ endings }) => endings.includes(ending));
  const byType = mediaType === saysNothing ? [] : formatsWith(({ mediaTypes }) => mediaTypes.includes(mediaType));
  return [byName, byType].every((named) => named.length === 0 || named.includes(format) || (written.includes(format) && isWritten(named)));
}

/** The media type to send a file under: the one that is claimed, where the bytes agree; otherwise the format's own. */
export function mediaTypeOf(format: Format, claims: Claims): string {
  const mediaType = bareType(claims.mediaType);
  const isUsable = mediaType.length <= 127 && /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/.test(mediaType);
  const { mediaTypes } = formats[format];
  const isOwn = mediaTypes.includes(mediaType);
  const isOpen = shownAs(format) === undefined && isAsClaimed(format, { ...claims, name: "" });
  return isUsable && (isOwn || isOpen) ? mediaType : (mediaTypes[0] ?? saysNothing);
}

function formatsWith(matches: (known: Known) => boolean): readonly Format[] {
  // The keys of `formats` are what `Format` names.
  return (Object.keys(formats) as Format[]).filter((format) => matches(formats[format]));
}

function isWritten(named: readonly Format[]): boolean {
  return named.some((format) => written.includes(format));
}

function endingOf(name: string): string {
  return /\.([a-z0-9]{1,8})$/.exec(name.trimEnd().toLowerCase())?.[1] ?? "";
}

function bareType(mediaType: string): string {
  return (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
}
