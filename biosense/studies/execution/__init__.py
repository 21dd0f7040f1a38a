"""How a study is carried out: plan, jobs, predictions collected."""
