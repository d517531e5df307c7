CREATE FUNCTION bm25_handler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_textsearch_handler' LANGUAGE c;
CREATE ACCESS METHOD bm25 TYPE INDEX HANDLER bm25_handler;

CREATE OPERATOR CLASS text_bm25_ops DEFAULT FOR TYPE text USING bm25 AS STORAGE text;
