//! What theory says of optimizers on a surface: curvature, limits of the learning rate, rates of convergence. Pure
//! functions of a Hessian and of hyper-parameters; nothing here draws or runs anything.

pub mod curvature;
pub mod fan;
pub mod momentum;
pub mod noise;
pub mod preconditioner;
pub mod rate;
