CREATE FUNCTION pgroonga_handler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_pgroonga_handler' LANGUAGE c;
CREATE ACCESS METHOD pgroonga TYPE INDEX HANDLER pgroonga_handler;

CREATE OPERATOR CLASS pgroonga_text_full_text_search_ops_v2 DEFAULT FOR TYPE text USING pgroonga AS OPERATOR 6 ~~ (text, text);
CREATE OPERATOR CLASS pgroonga_varchar_term_search_ops_v2 DEFAULT FOR TYPE varchar USING pgroonga AS STORAGE varchar;
