import { useEffect, useRef } from "react";

/** Whoever drops files anywhere on the page is told of it; a browser alone would show the file in place of the app. */
export function useFileDrop(onFiles: () => void): void {
  const told = useRef(onFiles);
  useEffect(() => {
    told.current = onFiles;
  }, [onFiles]);
  useEffect(() => {
    const take = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      if (event.type === "drop") told.current();
    };
    document.addEventListener("dragover", take);
    document.addEventListener("drop", take);
    return () => {
      document.removeEventListener("dragover", take);
      document.removeEventListener("drop", take);
    };
  }, []);
}
