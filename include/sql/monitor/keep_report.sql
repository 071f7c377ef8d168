INSERT INTO ops.report
(period, edition, language, subject, html, text, chart, pdf, content_hash, run, cut_at)
VALUES
(:period, :edition, :language, :subject, :html, :text, :chart, :pdf, :content_hash, :run, :cut_at)
