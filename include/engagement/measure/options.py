"""What an approver can answer; imported when Airflow reads the DAG file, hence nothing else."""

APPROVE, REJECT = "อนุมัติให้ส่ง (approve)", "ไม่อนุมัติ (reject)"
