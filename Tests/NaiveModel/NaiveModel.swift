// NaiveModel
