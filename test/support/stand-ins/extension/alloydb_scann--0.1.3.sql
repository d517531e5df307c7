CREATE FUNCTION scannhandler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_scann_handler' LANGUAGE c;
CREATE ACCESS METHOD scann TYPE INDEX HANDLER scannhandler;

CREATE OPERATOR CLASS l2 FOR TYPE vector USING scann AS OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS dot_product FOR TYPE vector USING scann AS OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS cosine FOR TYPE vector USING scann AS OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops;
