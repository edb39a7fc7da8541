/** Imports that are being erased, by their ids: nothing else is left of them that anybody is shown. */
export const goingPrefix = "import-going/";
