/** How every report begins: by this an older one is told from any other file. */
export const REPORT_SIGNATURE = '<!doctype html>\n<html lang="en" data-report="trueup">';
