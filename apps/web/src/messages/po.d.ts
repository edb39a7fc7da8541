/** The messages of a catalogue, compiled by the build (po-files.ts). */
declare module "*.po" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

/** Parts of them that come later. */
declare module "*.po?attach" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?desk" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?moderation" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}
declare module "*.po?cases" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?office" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?report" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?files" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}

declare module "*.po?settings" {
  export const messages: Readonly<Record<string, import("./catalogue.ts").CompiledMessage>>;
}
