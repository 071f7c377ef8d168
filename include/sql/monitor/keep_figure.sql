INSERT INTO ops.report_figure
(period, edition, figure_no, name, about, unit, value, base, low, high, source)
VALUES
(:period, :edition, :figure_no, :name, :about, :unit, :value, :base, :low, :high, :source)
