use super::experiment::Checkpoint;
pub fn read(_p: &std::path::Path) -> Result<Checkpoint, super::recording::DiskError> {
    Ok(Checkpoint::default())
}
