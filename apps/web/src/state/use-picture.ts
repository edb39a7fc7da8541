import { useCallback, useSyncExternalStore } from "react";
import type { Controller } from "./controller.ts";
import { useApp } from "./context.ts";
import { createPictures } from "./pictures.ts";
import type { Pictures } from "./pictures.ts";

const known = new WeakMap<Controller, Pictures>();

function picturesOf(controller: Controller): Pictures {
  const before = known.get(controller);
  if (before !== undefined) return before;
  const pictures = createPictures((id) => controller.client.picture(id));
  controller.listen((event) => pictures.hear(event));
  known.set(controller, pictures);
  return pictures;
}

/** Where the picture of a person or a group is, as long as this shows it. */
export function usePicture(id: string): string | undefined {
  const pictures = picturesOf(useApp().controller);
  const subscribe = useCallback((listener: () => void) => pictures.subscribe(id, listener), [pictures, id]);
  const get = (): string | undefined => pictures.address(id);
  return useSyncExternalStore(subscribe, get, get);
}
