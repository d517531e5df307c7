CREATE FUNCTION diskannhandler(internal) RETURNS index_am_handler AS 'MODULE_PATHNAME', 'trueup_diskann_handler' LANGUAGE c;
CREATE ACCESS METHOD diskann TYPE INDEX HANDLER diskannhandler;

CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING diskann AS OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING diskann AS OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops;
CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING diskann AS OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops;
